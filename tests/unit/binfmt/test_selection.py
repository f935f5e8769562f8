import pytest

from quarterdeck.binfmt.change.plan import Action
from quarterdeck.binfmt.change.uninstall import plan_uninstall
from quarterdeck.binfmt.selection import emulated, select, select_entries
from quarterdeck.core.arch import ARCHES
from quarterdeck.errors import UsageError
from quarterdeck.host.binfmt_misc import Entry


def names(*words):
    return [arch.name for arch in select(words).arches]


def test_all_is_everything_that_qemu_runs_programs_of():
    assert select(["all"]).arches == emulated()
    assert select(["all"]).named == frozenset()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("arm64", "aarch64"),
        ("aarch64", "aarch64"),
        ("qemu-aarch64", "aarch64"),
        ("linux/arm64", "aarch64"),
        ("linux/arm64/v8", "aarch64"),
        ("linux/arm/v6", "arm"),
        ("linux/arm/v5", "arm"),
        ("linux/amd64/v3", "x86_64"),
        ("386", "i386"),
        ("AMD64", "x86_64"),
        ("mipsn32el", "mipsn32el"),
    ],
)
def test_one_architecture_has_many_names(word, name):
    assert names(word) == [name]
    assert select([word]).named == {name}


@pytest.mark.parametrize("arch", [arch for arch in ARCHES if arch.user], ids=lambda arch: arch.name)
def test_each_architecture_answers_to_its_own_names(arch):
    for word in filter(None, (arch.name, arch.user, arch.oci, arch.debian)):
        assert names(word) == [arch.name]


def test_lists_with_commas_and_spaces_are_words():
    assert names("arm64, riscv64", "s390x,") == ["aarch64", "riscv64", "s390x"]


def test_patterns_match_names_and_platforms_and_name_nothing_in_particular():
    assert names("linux/arm*") == ["aarch64", "arm"]
    assert set(names("mips*")) == {"mips64el", "mips64", "mipsel", "mips", "mipsn32el", "mipsn32"}
    assert select(["linux/arm*"]).named == frozenset()


def test_a_name_beside_a_pattern_is_still_a_name():
    assert select(["all", "i386"]).named == {"i386"}


@pytest.mark.parametrize(
    ("words", "text"), [(["arm46"], "no architecture 'arm46'"), (["linux/x*"], "matches"), ([], "named"), ([" , "], "named")]
)
def test_what_names_nothing_is_wrong_use(words, text):
    with pytest.raises(UsageError, match=text):
        select(words)


def test_a_typing_mistake_gets_a_suggestion():
    with pytest.raises(UsageError) as caught:
        select(["aarch46"])
    assert "aarch64" in caught.value.hint


def test_a_variant_that_no_processor_has_is_not_guessed():
    with pytest.raises(UsageError):
        select(["linux/arm64/v99"])


def entry(name, interpreter="/usr/bin/qemu-x"):
    return Entry(name, True, interpreter, "F", 0, b"MZ", b"")


ENTRIES = [
    entry("qemu-aarch64"),
    entry("qemu-aarch64.quarterdeck"),
    entry("qemu-arm"),
    entry("python3.11", "/usr/bin/python3.11"),
    entry("qemu-fake", "/opt/emulator"),
]


def chosen(*words):
    return [one.name for one in select_entries(words, ENTRIES)]


def test_entries_are_named_by_name_architecture_platform_and_pattern():
    assert chosen("qemu-arm") == ["qemu-arm"]
    assert chosen("arm64") == ["qemu-aarch64", "qemu-aarch64.quarterdeck"]
    assert chosen("linux/arm*") == ["qemu-aarch64", "qemu-aarch64.quarterdeck", "qemu-arm"]
    assert chosen("qemu-a*") == ["qemu-aarch64", "qemu-aarch64.quarterdeck", "qemu-arm"]
    assert "python3.11" not in chosen("all")


def test_an_architecture_without_entry_is_no_error_but_an_unknown_word_is():
    assert chosen("riscv64") == []
    with pytest.raises(UsageError) as caught:
        chosen("qemu-arn")
    assert "qemu-arm" in caught.value.hint


def test_only_entries_of_qemu_are_removed():
    plan = plan_uninstall(["qemu-*", "python3.11"], ENTRIES)
    actions = {step.name: step.action for step in plan.steps}
    assert actions["qemu-aarch64"] is Action.REMOVE
    assert actions["qemu-fake"] is Action.REFUSE
    assert actions["python3.11"] is Action.REFUSE
    assert all(step.hint for step in plan.refusals)
