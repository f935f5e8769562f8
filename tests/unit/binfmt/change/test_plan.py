import json

import pytest

from quarterdeck.binfmt.change.plan import Action, Wanted, plan_install
from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.core.arch import find_arch
from quarterdeck.host.binfmt_misc import Entry

HOST = find_arch("x86_64")
QEMU = "/usr/bin/qemu-aarch64-static"
ARM64 = Registration.of(find_arch("arm64"), QEMU, "OCF")


def wanted(arch="arm64", interpreter=QEMU, flags="OCF", **options):
    found = find_arch(arch)
    return Wanted(found, Registration.of(found, interpreter, flags), **options)


def entry(name="qemu-aarch64", interpreter=QEMU, flags="OCF", enabled=True, magic=ARM64.magic, mask=ARM64.mask, offset=0):
    return Entry(name, enabled, interpreter, flags, offset, magic, mask)


def decide(*entries, item=None, native=frozenset(), state=FileState.SAME):
    found = [one if isinstance(one, Found) else Found(one, 1.0, state) for one in entries]
    plan = plan_install([item or wanted()], found, host=HOST, native=native)
    assert len(plan.steps) == 1
    return plan.steps[0]


def test_what_is_not_there_is_added():
    step = decide()
    assert (step.action, step.new) == (Action.ADD, ARM64)


def test_an_entry_as_it_should_be_is_kept():
    assert decide(entry()).action is Action.KEEP


def test_another_healthy_emulator_is_kept_unless_the_user_says_which():
    other = entry(interpreter="/opt/qemu-aarch64")
    assert decide(other).action is Action.KEEP
    step = decide(other, item=wanted(given=True))
    assert step.action is Action.REPLACE
    assert "it runs /opt/qemu-aarch64" in step.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flags": "OC"}, "flag F"),
        ({"flags": "POF"}, "flag C"),
        ({"enabled": False}, "switched off"),
        ({"magic": b"\x7fELF", "mask": b""}, "it also claims programs of"),
        ({"mask": b"\xff" * 20}, "position-independent"),
        ({"mask": b"\xff" * 16 + b"\xfe\xff\xff\xff"}, "GNU operating system ABI"),
        ({"magic": find_arch("riscv64").elf.example()[:20], "mask": b"\xff" * 20}, "it does not claim programs of aarch64"),
        ({"name": "qemu-aarch64.quarterdeck"}, "cut short"),
    ],
)
def test_a_stale_entry_of_the_same_kind_is_replaced(change, reason):
    step = decide(entry(**change))
    assert step.action is Action.REPLACE
    assert reason in step.reason
    assert [old.name for old in step.old] == [change.get("name", "qemu-aarch64")]


@pytest.mark.parametrize(("state", "reason"), [(FileState.CHANGED, "was changed after"), (FileState.MISSING, "does not exist here")])
def test_an_entry_whose_interpreter_is_not_the_file_any_more_is_replaced(state, reason):
    step = decide(entry(), state=state)
    assert step.action is Action.REPLACE
    assert reason in step.reason


def test_an_interpreter_that_cannot_be_judged_from_a_container_is_kept():
    assert decide(entry(interpreter="/usr/libexec/qemu-binfmt/aarch64-binfmt-P"), state=FileState.UNKNOWN).action is Action.KEEP


def test_more_flags_than_wanted_matter_only_when_the_user_gave_flags():
    assert decide(entry(flags="POCF")).action is Action.KEEP
    assert "flag P" in decide(entry(flags="POCF"), item=wanted(flags_given=True)).reason


def test_a_mask_that_differs_without_harm_is_kept():
    # What tonistiigi's and older QEMU's tables have: EI_ABIVERSION is masked too.
    assert decide(entry(mask=b"\xff" * 7 + b"\0\0" + b"\xff" * 7 + b"\xfe\xff\xff\xff")).action is Action.KEEP


def test_an_entry_of_qemu_under_another_name_counts_too():
    assert decide(entry(name="qemu-aarch64-static")).action is Action.KEEP
    step = decide(entry(name="qemu-aarch64-static", flags=""))
    assert [old.name for old in step.old] == ["qemu-aarch64-static"]
    assert step.new == ARM64


def test_a_sound_entry_stays_while_its_faulty_sibling_goes():
    step = decide(entry(), entry(name="qemu-arm64-old", flags=""))
    assert step.action is Action.REMOVE
    assert [old.name for old in step.old] == ["qemu-arm64-old"]


def test_a_foreign_entry_of_the_same_name_is_never_touched():
    step = decide(entry(interpreter="/usr/bin/FEXInterpreter"))
    assert step.action is Action.REFUSE
    assert "of this name runs /usr/bin/FEXInterpreter" in step.reason
    assert step.hint


def test_a_foreign_entry_that_claims_the_same_programs_is_never_hidden():
    step = decide(entry(name="rosetta", interpreter="/mnt/rosetta"))
    assert step.action is Action.REFUSE
    assert "rosetta runs these programs by /mnt/rosetta" in step.reason


def test_a_foreign_entry_that_is_switched_off_or_about_others_is_no_obstacle():
    off = entry(name="rosetta", interpreter="/mnt/rosetta", enabled=False)
    windows = entry(name="WSLInterop", interpreter="/init", magic=b"MZ", mask=b"")
    assert decide(off, windows).action is Action.ADD


def test_an_interpreter_that_the_user_asks_for_is_ours_whatever_its_name():
    item = wanted(interpreter="/opt/fast/dispatch")
    assert decide(entry(interpreter="/opt/fast/dispatch", flags="F"), item=item).action is Action.REPLACE


def test_the_machines_own_architecture_is_skipped_and_refused_by_name():
    assert decide(item=wanted("amd64", "/usr/bin/qemu-x86_64")).action is Action.SKIP
    step = decide(item=wanted("amd64", "/usr/bin/qemu-x86_64", named=True))
    assert step.action is Action.REFUSE
    assert "keep every program from starting" in step.reason


def test_programs_that_the_processor_runs_itself_are_emulated_only_by_name():
    native = frozenset({"x86_64", "i386"})
    assert decide(item=wanted("i386", "/usr/bin/qemu-i386"), native=native).action is Action.SKIP
    assert decide(item=wanted("i386", "/usr/bin/qemu-i386", named=True), native=native).action is Action.ADD


def test_a_careless_entry_of_another_architecture_is_left_to_its_own():
    mips = find_arch("mips")
    careless = entry(
        name="qemu-mips", interpreter="/usr/bin/qemu-mips", magic=mips.elf.example()[:20], mask=b"\xff" * 7 + b"\0" + b"\xff" * 12
    )
    step = decide(careless, item=wanted("mipsn32", "/usr/bin/qemu-mipsn32"))
    assert (step.action, step.old) == (Action.ADD, ())
    assert decide(careless, item=wanted("mips", "/usr/bin/qemu-mips")).action is Action.REPLACE


def test_a_plan_is_text_and_json():
    plan = plan_install([wanted(), wanted("riscv64", "/usr/bin/qemu-riscv64")], [Found(entry(flags=""), 1.0, FileState.SAME)], host=HOST)
    assert [line.split()[0] for line in (step.line() for step in plan.steps)] == ["replace", "add"]
    document = json.loads(json.dumps(plan.to_json()))
    assert document["changes"] == 2
    assert document["steps"][0]["replaces"] == ["qemu-aarch64"]
    assert document["steps"][0]["platform"] == "linux/arm64"
    assert [new.name for new in plan.registrations] == ["qemu-aarch64", "qemu-riscv64"]


def test_a_plan_in_a_terminal_cannot_be_painted_over_by_names():
    step = decide(entry(name="\x1b[2Jqemu\n", flags=""))
    assert "\x1b" not in step.line()
    assert "\n" not in step.line()


def test_advice_can_be_pasted_whatever_the_name():
    step = decide(entry(name="$(reboot)", interpreter="/opt/other"))
    assert "'/proc/sys/fs/binfmt_misc/$(reboot)'" in step.hint
