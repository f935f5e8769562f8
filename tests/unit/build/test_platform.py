import pytest

from quarterdeck.build.platform import Platform, parse_platforms
from quarterdeck.core.arch import ARCHES
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("Linux/AMD64", "linux/amd64"),
        ("riscv64", "linux/riscv64"),
        ("windows/amd64", "windows/amd64"),
    ],
)
def test_a_platform_has_one_spelling(text, normal):
    assert str(Platform.parse(text)) == normal
    assert Platform.parse(normal) == Platform.parse(text)


@pytest.mark.parametrize("text", ["", "linux/", "linux/arm/v7/x", "linux arm"])
def test_what_is_no_platform_is_refused(text):
    with pytest.raises(UsageError):
        Platform.parse(text)


def test_every_platform_of_the_table_leads_back_to_its_architecture():
    assert {arch.name for arch in ARCHES if arch.oci} == {
        found.name for arch in ARCHES if arch.oci and (found := Platform.parse(arch.oci).arch)
    }


@pytest.mark.parametrize(
    ("text", "name"), [("linux/arm/v6", "arm"), ("linux/amd64/v3", "x86_64"), ("windows/amd64", None), ("linux/wasm", None)]
)
def test_variants_have_the_architecture_of_their_family(text, name):
    arch = Platform.parse(text).arch
    assert (arch.name if arch else None) == name


def test_lists_keep_their_order_and_name_each_platform_once():
    assert [str(one) for one in parse_platforms(["linux/arm64,linux/amd64", "linux/aarch64"])] == ["linux/arm64", "linux/amd64"]
    with pytest.raises(UsageError):
        parse_platforms([" , "])
