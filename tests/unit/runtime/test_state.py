import pytest

from quarterdeck.runtime.state import (
    LIVE,
    RESTING,
    State,
    Trigger,
    from_run_state,
    next_state,
    pause_reason,
    shutdown_reason,
    trigger_of_stop,
)


def test_whole_orderly_life():
    state = State.CREATED
    for trigger, expected in [
        (Trigger.PREPARE, State.PREPARING),
        (Trigger.LAUNCHED, State.STARTING),
        (Trigger.RESUMED, State.RUNNING),
        (Trigger.AGENT_UP, State.READY),
        (Trigger.PAUSED, State.PAUSED),
        (Trigger.RESUMED, State.RUNNING),
        (Trigger.STOP_ASKED, State.STOPPING),
        (Trigger.ENDED, State.STOPPED),
        (Trigger.PREPARE, State.PREPARING),
        (Trigger.DIED, State.CRASHED),
    ]:
        following = next_state(state, trigger)
        assert following is expected
        state = following


@pytest.mark.parametrize("state", sorted(RESTING))
@pytest.mark.parametrize("trigger", sorted(set(Trigger) - {Trigger.PREPARE}))
def test_nothing_but_a_start_moves_a_machine_at_rest(state, trigger):
    assert next_state(state, trigger) is None


@pytest.mark.parametrize("state", sorted(LIVE))
def test_every_life_can_end_and_crash(state):
    assert next_state(state, Trigger.ENDED) is State.STOPPED
    assert next_state(state, Trigger.DIED) is State.CRASHED
    assert next_state(state, Trigger.PREPARE) is None


def test_late_events_while_stopping_change_nothing():
    for trigger in (Trigger.RESUMED, Trigger.PAUSED, Trigger.IO_FAILED, Trigger.AGENT_UP, Trigger.AGENT_DOWN, Trigger.STOP_ASKED):
        assert next_state(State.STOPPING, trigger) is None


def test_panic_wins_over_stopping_and_is_not_a_pause():
    assert next_state(State.STOPPING, Trigger.PANICKED) is State.PANICKED
    assert next_state(State.PANICKED, Trigger.PAUSED) is None


@pytest.mark.parametrize(
    ("status", "trigger"),
    [
        ("paused", Trigger.PAUSED),
        ("suspended", Trigger.PAUSED),
        ("internal-error", Trigger.PAUSED),
        ("io-error", Trigger.IO_FAILED),
        ("guest-panicked", Trigger.PANICKED),
        ("shutdown", None),
        ("prelaunch", None),
        ("running", None),
    ],
)
def test_meaning_of_a_stop_depends_on_the_run_state(status, trigger):
    assert trigger_of_stop(status) is trigger


def test_run_states_nobody_knows_are_pauses():
    assert from_run_state("some-future-state") is State.PAUSED
    assert pause_reason("some-future-state") == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"guest": True, "reason": "guest-shutdown"}, "the guest powered itself off"),
        ({"guest": False, "reason": "host-signal"}, "QEMU got a signal to end"),
        ({"guest": True}, "the guest powered itself off"),
        ({"guest": "yes", "reason": 7}, "QEMU ended"),
        ({}, "QEMU ended"),
    ],
)
def test_reason_of_a_shutdown(data, words):
    assert shutdown_reason(data) == words
