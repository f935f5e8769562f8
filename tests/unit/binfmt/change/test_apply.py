import errno

import pytest
from tests.unit.binfmt.fake_kernel import FakeKernel

from quarterdeck.binfmt.change.apply import RolledBack, apply
from quarterdeck.binfmt.change.plan import Action, Plan, Wanted, plan_install
from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError
from quarterdeck.host.binfmt_misc import claiming

HOST = find_arch("x86_64")
ARM64, RISCV = find_arch("arm64"), find_arch("riscv64")
NEW = {arch.name: Registration.of(arch, f"/usr/bin/qemu-{arch.user}-static", "OCF") for arch in (ARM64, RISCV)}
OLD = Registration.of(ARM64, "/usr/bin/qemu-aarch64-static", "POF")


class Killed(BaseException):
    """The process is gone: nothing that it would still do happens."""


class WatchedKernel(FakeKernel):
    """Dies before its ``dies_at``-th write and looks after each whether arm64 programs still run."""

    dies_at: int | None = None
    watched: list[bool] | None = None

    def _write(self, name, content):
        if self.dies_at is not None and len(self.writes) >= self.dies_at:
            raise Killed
        super()._write(name, content)
        if self.watched is not None:
            self.watched.append(bool([entry for entry in claiming(ARM64, self.entries()) if entry.enabled]))


@pytest.fixture
def kernel(tmp_path):
    return WatchedKernel(tmp_path / "binfmt_misc")


def plan_for(*arches):
    def make(entries):
        found = [Found(entry, 1.0, FileState.SAME) for entry in entries]
        return plan_install([Wanted(arch, NEW[arch.name]) for arch in arches], found, host=HOST)

    return make


def state(kernel):
    return sorted((entry.name, entry.interpreter, entry.flags, entry.enabled) for entry in kernel.entries())


GOAL = [("qemu-aarch64", "/usr/bin/qemu-aarch64-static", "OCF", True)]


def test_an_empty_registry_gets_all_that_is_wanted(kernel):
    applied = apply(kernel, plan_for(ARM64, RISCV))
    assert [step.action for step in applied.steps] == [Action.ADD, Action.ADD]
    assert [entry.name for entry in kernel.entries()] == ["qemu-aarch64", "qemu-riscv64"]


def test_a_second_run_writes_nothing(kernel):
    apply(kernel, plan_for(ARM64, RISCV))
    writes = list(kernel.writes)
    assert apply(kernel, plan_for(ARM64, RISCV)).steps == ()
    assert kernel.writes == writes


def test_programs_run_at_every_moment_of_a_replacement(kernel):
    kernel.register(OLD)
    kernel.watched = []
    apply(kernel, plan_for(ARM64))
    assert state(kernel) == GOAL
    assert kernel.watched == [True] * 4


def test_an_entry_of_another_name_is_replaced_without_a_stand_in(kernel):
    kernel.register(Registration("qemu-aarch64-static", OLD.magic, OLD.mask, OLD.interpreter, "F"))
    kernel.watched = []
    apply(kernel, plan_for(ARM64))
    assert state(kernel) == GOAL
    assert kernel.watched == [True, True]


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_a_kill_at_any_step_leaves_something_that_works_and_the_next_run_cleans_up(kernel, dies_at):
    kernel.register(OLD)
    kernel.dies_at = dies_at
    if dies_at <= 4:
        with pytest.raises(Killed):
            apply(kernel, plan_for(ARM64))
    else:
        apply(kernel, plan_for(ARM64))
    assert [entry for entry in claiming(ARM64, kernel.entries()) if entry.enabled]
    kernel.dies_at = None
    apply(kernel, plan_for(ARM64))
    assert state(kernel) == GOAL


def test_many_kills_in_a_row_are_cleaned_up_too(kernel):
    kernel.register(OLD)
    for _ in range(4):
        kernel.dies_at = len(kernel.writes) + 1
        with pytest.raises(Killed):
            apply(kernel, plan_for(ARM64))
    kernel.dies_at = None
    apply(kernel, plan_for(ARM64))
    assert state(kernel) == GOAL


def test_a_failing_step_undoes_those_before_it(kernel):
    kernel.register(OLD)
    before = state(kernel)
    kernel.refuse = {"register qemu-riscv64": errno.ENOSPC}
    with pytest.raises(RolledBack) as caught:
        apply(kernel, plan_for(ARM64, RISCV))
    assert state(kernel) == before
    assert "limit of interpreters" in caught.value.reason
    assert "everything is as it was" in caught.value.reason
    assert caught.value.exit_code == HostError.exit_code


@pytest.mark.parametrize("refused", ["qemu-aarch64 -1", "register qemu-aarch64.quarterdeck"])
def test_a_replacement_that_fails_halfway_is_undone(kernel, refused):
    kernel.register(OLD)
    before = state(kernel)
    kernel.refuse = {refused: errno.EPERM}
    with pytest.raises(RolledBack):
        apply(kernel, plan_for(ARM64))
    assert state(kernel) == before


def test_a_switched_off_entry_is_switched_off_again_when_undone(kernel):
    kernel.register(OLD)
    kernel.disable(OLD.name)
    before = state(kernel)
    kernel.refuse = {"register qemu-riscv64": errno.ENOSPC}
    with pytest.raises(RolledBack):
        apply(kernel, plan_for(ARM64, RISCV))
    assert state(kernel) == before


class ForgetfulKernel(WatchedKernel):
    """Cannot register what was there before: its interpreter is deleted, and only the kernel still had it."""

    def _write(self, name, content):
        if name == "register" and self.writes and b":/usr/bin/qemu-aarch64-static:POF" in content:
            raise OSError(errno.ENOENT, "No such file")
        super()._write(name, content)


def test_what_cannot_be_brought_back_stays_replaced_and_is_told(tmp_path):
    kernel = ForgetfulKernel(tmp_path / "binfmt_misc")
    kernel.register(OLD)
    kernel.refuse = {"register qemu-riscv64": errno.ENOSPC}
    with pytest.raises(RolledBack) as caught:
        apply(kernel, plan_for(ARM64, RISCV))
    assert state(kernel) == GOAL
    assert caught.value.remains
    assert "qemu-aarch64" in caught.value.reason


def test_what_belongs_to_it_beside_the_registry_can_fail_too(kernel):
    def fail(plan):
        raise HostError("binfmt-file", "no space", reason="full")

    with pytest.raises(RolledBack, match="no space"):
        apply(kernel, plan_for(ARM64), then=fail)
    assert kernel.entries() == []


def test_an_interrupt_leaves_no_half_of_it(kernel):
    def interrupt(plan):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(kernel, plan_for(ARM64, RISCV), then=interrupt)
    assert kernel.entries() == []


def test_the_plan_is_made_of_what_is_there_when_the_lock_is_held(kernel):
    seen = []

    def make(entries):
        seen.append([entry.name for entry in entries])
        return Plan(())

    kernel.register(OLD)
    apply(kernel, make)
    assert seen == [["qemu-aarch64"]]
