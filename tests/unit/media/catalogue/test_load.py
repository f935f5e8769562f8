from pathlib import Path

import pytest

from quarterdeck.cli.catalogue.view import summary
from quarterdeck.core.arch import ARCHES, find_arch
from quarterdeck.errors import UsageError
from quarterdeck.media.catalogue.catalogue import Catalogue, folder_layer, load_catalogue, packaged, text_layer
from quarterdeck.media.catalogue.load import CatalogueError, load_entries
from quarterdeck.media.catalogue.model import Kind, RedirectRule
from quarterdeck.media.catalogue.resolve import Trust, choose_image, trust_of

GOOD = """\
name: mine
title: My own system
kind: cloud
source: ["https://example.org/"]
memory: 1G
images:
  - arches: {x86_64: amd64}
    find:
      - listing: https://example.org/
        match: "{release:version}/"
    url: https://example.org/{release}/{arch}.qcow2
"""
RIVAL_NAMES = """
    alma alpine arch cachy centos debian fedora gentoo kali kubuntu lmde manjaro mint mx nixos rocky slack suse tails ubuntu ubuntus
    xubuntu zima zorin
"""
RIVAL = RIVAL_NAMES.split()
CLOUD = ["alpine-cloud", "alma-cloud", "centos-cloud", "debian-cloud", "fedora-cloud", "opensuse-cloud", "rocky-cloud", "ubuntu-cloud"]


@pytest.fixture(autouse=True)
def no_own_entries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_names_that_people_expect_are_there() -> None:
    catalogue = load_catalogue()
    assert [name for name in [*RIVAL, "coreos", "flatcar", "freebsd", "openbsd", "netbsd"] if catalogue.find(name).name != name] == []
    assert {catalogue.find(name).kind for name in CLOUD} == {Kind.CLOUD}
    assert {catalogue.find(name).kind for name in ("windows", "macos")} == {Kind.INSTEAD}
    assert catalogue.find("FCOS").name == "coreos"
    assert catalogue.find("debian").kind is Kind.BOOTSTRAP


def test_arm64_has_its_images() -> None:
    names = {entry.name for entry in load_catalogue() if "aarch64" in entry.arches}
    assert {"alma", "alpine", "centos", "fedora", "gentoo", "kali", "nixos", "rocky", "suse", "ubuntu", "ubuntus"} <= names
    assert len(names) >= 13


def test_every_file_is_proved_and_every_rule_has_its_public_page() -> None:
    for entry in packaged().entries:
        assert entry.source, entry.name
        assert [image for image in entry.images if trust_of(image) is Trust.NONE] == [], entry.name


def test_the_host_of_every_rule_is_asked_over_https() -> None:
    for entry in packaged().entries:
        for image in entry.images:
            texts = [image.url, *image.mirrors, *(str(rule) for rule in image.find)]
            assert [text for text in texts if "http://" in text] == [], entry.name
            assert not any(isinstance(rule, RedirectRule) and "{" in rule.redirect for rule in image.find)


def test_an_entry_is_read_with_its_sizes() -> None:
    (entry,) = load_entries(GOOD, "mine.yaml")
    assert (entry.name, entry.memory, entry.arches, entry.kinds) == ("mine", 1 << 30, ("x86_64",), (Kind.CLOUD,))


@pytest.mark.parametrize(
    ("before", "after", "line", "problem"),
    [
        ("title:", "titel:", 2, "there is no such field (did you mean 'title'?)"),
        ("kind: cloud", "kind: clud", 3, "must be 'iso', 'cloud'"),
        ("memory: 1G", "memory: lots", 5, "is not a size"),
        ("x86_64: amd64", "amd64: amd64", 7, "it is called x86_64 here"),
        ("x86_64: amd64", "pdp11: x", 7, "is no architecture"),
        ("listing:", "scrape:", 9, "must have one of listing, sums, document"),
        ("listing: https:", "listing: http:", 9, "must begin with https://"),
        ("{release:version}/", "{release:newest}/", 10, "there is no form 'newest'"),
        ("match:", "signature: inline\n        match:", 7, "the entry has no keys"),
        ("kind: cloud", "kind: bootstrap", 6, "means nothing for kind bootstrap"),
        ("kind: cloud", "kind: instead", 6, "means nothing for kind instead"),
        ("name: mine", "name: My Own", 1, "is not written as it has to be"),
        ("name: mine", "name: mine\nname: yours", 2, "is given twice"),
        (GOOD, "- 1", 1, "an entry is a mapping"),
        (GOOD, "a: [", 1, "not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(before: str, after: str, line: int, problem: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load_entries(GOOD.replace(before, after), "mine.yaml")
    assert [found for found in caught.value.problems if problem in found.message and found.line == line], caught.value.reason


def test_the_users_entries_lie_over_those_of_the_package(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "quarterdeck" / "catalogue"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(GOOD.replace("name: mine", "name: mint").replace("kind: cloud", "kind: iso"))
    catalogue = load_catalogue(text_layer(GOOD, "https://example.org/more.yaml"))
    assert catalogue.find("mint").title == "My own system"
    assert catalogue.origin(catalogue.find("mint")) == str(folder)
    assert catalogue.find("linuxmint").title == "My own system"
    assert catalogue.origin(catalogue.find("mine")) == "https://example.org/more.yaml"
    assert catalogue.origin(catalogue.find("kali")) == "built in"


def test_a_name_that_two_entries_want_is_a_mistake(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(GOOD.replace("title:", "aliases: [same]\ntitle:").replace("name: mine", f"name: {name}"))
    with pytest.raises(CatalogueError, match="1 problem") as caught:
        _ = folder_layer(tmp_path).entries
    assert "the name 'same' belongs to a and to b" in caught.value.reason


def test_an_unknown_name_suggests_a_close_one() -> None:
    with pytest.raises(UsageError) as caught:
        Catalogue([packaged()]).find("debain-clod")
    assert "did you mean 'debian-cloud'?" in caught.value.hint


def test_images_are_only_for_architectures_that_there_are() -> None:
    known = {arch.name for arch in ARCHES}
    assert all(set(entry.arches) <= known for entry in packaged().entries)


def test_the_document_lists_every_entry_as_it_is() -> None:
    text = (Path(__file__).parents[4] / "docs" / "images.md").read_text(encoding="utf-8").partition("| last checked |")[2]
    for entry in packaged().entries:
        proof = summary(entry)["proof"]
        row = next(line for line in text.splitlines() if line.startswith(f"| `{entry.name}` |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == " ".join(f"`{alias}`" for alias in entry.aliases)
        assert cells[3] == (" ".join(entry.arches) or ("all" if entry.kind is Kind.BOOTSTRAP else ""))
        assert cells[4] == proof
        assert cells[5] == ((entry.checked or "never") if entry.images else "")


def test_who_asks_for_an_architecture_in_vain_is_told_what_to_do_instead() -> None:
    with pytest.raises(UsageError) as caught:
        choose_image(load_catalogue().find("cachy"), find_arch("arm64"), None)
    assert (caught.value.key, "qd run fedora --arch arm64" in caught.value.hint) == ("arch-not-offered", True)
    with pytest.raises(CatalogueError) as refused:
        load_entries(f"{GOOD}instead_on: {{x86_64: nothing}}\n", "x")
    assert "instead_on.x86_64: is an architecture that it has" in refused.value.reason
