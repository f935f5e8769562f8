import pytest

from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue import template
from quarterdeck.media.catalogue.extract import listing
from quarterdeck.media.catalogue.version import version_key


def test_known_values_fill_a_template() -> None:
    values = {"release": "7.8", "arch": "amd64"}
    assert (
        template.fill("https://x/{release}/{arch}/install{release.nodots}-{release.major}.iso", values)
        == "https://x/7.8/amd64/install78-7.iso"
    )


def test_a_value_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing says what 'build' is"):
        template.fill("{build}", {})


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("v{release:version}/", "v3.22/", {"release": "3.22"}),
        ("v{release:version}/", "vlatest/", None),
        ("v{release:version}/", "v3.22/x", None),
        ("{release:number}", "43 Beta", None),
        ("a.{x:word}", "aXb", None),
        ("{a:date}/x-{a:date}.iso", "20260101/x-20260101.iso", {"a": "20260101"}),
        ("{a:date}/x-{a:date}.iso", "20260101/x-20260102.iso", None),
        ("{release}-{b:build}.img", "10-10.0-2026.img", {"b": "10.0-2026"}),
        ("{release:version}-{b:build}.img", "9-9.0.img", None),
    ],
)
def test_a_template_finds_the_values_it_does_not_know(pattern: str, text: str, found: dict[str, str] | None) -> None:
    assert template.match(pattern, text, {"release": "10"} if "{release}" in pattern or "9-" in text else {}) == found


@pytest.mark.parametrize(
    "pattern", ["{release:numbr}", "{release.top}", "{Release}", "a}", "{a:any}{b:any}", "{a:build}-{b:build}-{c:build}-{d:build}"]
)
def test_what_is_wrong_with_a_template_is_said(pattern: str) -> None:
    assert template.problems(pattern)


def test_versions_are_sorted_as_people_do() -> None:
    names = ["9", "10.0-beta1", "10.0", "10.0.1", "10.0-20250528.0", "noble", "24.04", "24.10", "24.04.3", "20260101T010101Z"]
    assert sorted(names, key=version_key) == [
        *("noble", "9", "10.0-beta1", "10.0", "10.0.1", "10.0-20250528.0", "24.04", "24.04.3", "24.10", "20260101T010101Z"),
    ]


@pytest.mark.parametrize("pattern", ["{a:any}{b:build}x", "{a:build}-{b:word}/{d:build}", "{a:version}.{b:version}"])
def test_a_hostile_page_is_read_to_its_end(pattern: str) -> None:
    assert template.problems(pattern) == []
    hostile = " ".join("0-0." * length for length in range(90)) * 20
    assert listing.find(hostile + "!", [pattern + "!!"], {}) == []
