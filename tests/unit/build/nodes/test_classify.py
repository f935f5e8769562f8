from quarterdeck.build.nodes.classify import better, by_word, fixed, split, with_variants, x86_levels
from quarterdeck.build.nodes.model import Runs
from quarterdeck.build.platform import Platform, parse_platforms
from quarterdeck.core.arch import find_arch

V2 = ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"]
V3 = ["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"]


def platforms(text: str) -> tuple[Platform, ...]:
    return parse_platforms([text])


def runs(found):
    return {str(platform): how.value for platform, (how, _) in found.items()}


def test_levels_of_x86_end_at_the_first_that_lacks_something():
    assert x86_levels([]) == ()
    assert x86_levels(V2) == ("v2",)
    assert x86_levels([*V2, *V3, "sse"]) == ("v2", "v3")
    assert x86_levels(V3) == ()


def test_an_amd64_node_runs_its_own_and_386_natively():
    found = by_word(platforms("linux/amd64,linux/amd64/v2,linux/386,linux/arm64"), find_arch("x86_64"), word="it said so")
    assert runs(found) == {"linux/amd64": "native", "linux/amd64/v2": "native", "linux/386": "native", "linux/arm64": "emulated"}
    assert found[Platform.parse("linux/arm64")][1] == "x86_64 does not run it itself; it said so"


def test_an_arm64_node_runs_what_it_lists_of_32_bit_arm_natively():
    found = by_word(platforms("linux/arm64,linux/arm/v7,linux/amd64"), find_arch("arm64"), word="")
    assert runs(found) == {
        "linux/arm64": "native",
        "linux/arm/v7": "native",
        "linux/amd64": "emulated",
        "linux/arm/v6": "native",
        "linux/arm/v5": "native",
    }


def test_an_arm64_node_without_32_bit_arm_gets_none():
    assert runs(by_word(platforms("linux/arm64"), find_arch("arm64"), word="")) == {"linux/arm64": "native"}


def test_windows_is_no_linux():
    assert runs(by_word(platforms("windows/amd64"), find_arch("x86_64"), word="")) == {"windows/amd64": "emulated"}


def test_levels_come_with_a_native_amd64_only():
    amd64 = Platform.parse("linux/amd64")
    assert "linux/amd64/v3" in runs(with_variants({amd64: (Runs.NATIVE, "")}, ["v2", "v3"]))
    assert runs(with_variants({amd64: (Runs.EMULATED, "")}, ["v2", "v3"])) == {"linux/amd64": "emulated"}


def test_native_counts_where_two_answers_differ():
    one = {Platform.parse("linux/arm64"): (Runs.EMULATED, "a"), Platform.parse("linux/386"): (Runs.NATIVE, "a")}
    two = {Platform.parse("linux/arm64"): (Runs.NATIVE, "b"), Platform.parse("linux/386"): (Runs.EMULATED, "b")}
    assert runs(better(one, two)) == runs(better(two, one)) == {"linux/arm64": "native", "linux/386": "native"}


def test_what_the_user_fixed_is_kept_and_what_cannot_run_is_noted():
    found = by_word(platforms("linux/amd64,linux/arm64"), find_arch("x86_64"), word="")
    kept, notes = fixed(found, platforms("linux/arm64,linux/riscv64"), asked=True)
    assert runs(kept) == {"linux/arm64": "emulated"}
    assert notes == ("linux/riscv64 is fixed for this node, which cannot run it",)


def test_the_users_word_counts_where_nobody_can_be_asked():
    kept, notes = fixed({}, platforms("linux/arm64"), asked=False)
    assert runs(kept) == {"linux/arm64": "native"}
    assert notes == ()


def test_native_platforms_stand_first():
    found = {Platform.parse("linux/arm64"): (Runs.EMULATED, "e"), Platform.parse("linux/amd64"): (Runs.NATIVE, "n")}
    order, reasons = split(found)
    assert [str(platform) for platform in order] == ["linux/amd64", "linux/arm64"]
    assert list(reasons.values()) == ["n", "e"]
