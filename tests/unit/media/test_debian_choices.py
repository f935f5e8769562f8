from datetime import date

import pytest

from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.errors import HostError, UsageError
from quarterdeck.media.debian import suites
from quarterdeck.media.debian.assemble import partitions, sfdisk_script
from quarterdeck.media.debian.emulator import check_emulator
from quarterdeck.media.debian.mirror import Mirror, parse_index_targets, parse_options, parse_release
from quarterdeck.media.debian.privilege import has_range, leftover
from quarterdeck.media.debian.recipe import VIRTUAL_SIZE, make_recipe

MIRROR = Mirror("http://deb.debian.org/debian", "http://deb.debian.org/debian-security")
FOREIGN = find_arch("aarch64" if host_arch().name != "aarch64" else "riscv64")


@pytest.fixture
def today(monkeypatch):
    def set_day(day: date):
        monkeypatch.setattr(suites, "_today", lambda: day)

    set_day(date(2026, 1, 1))
    return set_day


@pytest.mark.usefixtures("today")
@pytest.mark.parametrize(
    ("word", "suite"),
    [
        ("12", "bookworm"),
        ("Bookworm", "bookworm"),
        ("13", "trixie"),
        ("sid", "sid"),
        ("unstable", "sid"),
        ("stable", "trixie"),
        ("oldstable", "bookworm"),
    ],
)
def test_suites_have_names_and_numbers(word, suite):
    assert suites.find_suite(word) == suite


@pytest.mark.usefixtures("today")
def test_an_unknown_suite_gets_suggestions():
    with pytest.raises(UsageError) as caught:
        suites.find_suite("trixi")
    assert "debian:trixie" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        suites.find_suite("buster")
    assert "bookworm (12)" in caught.value.hint


def test_a_release_of_the_future_becomes_stable_when_distro_info_knows_its_day(today, tmp_path, monkeypatch):
    table = tmp_path / "debian.csv"
    table.write_text(
        "version,codename,series,created,release,eol\n"
        "13,Trixie,trixie,2023-06-10,2025-08-09,2028-08-09\n"
        "14,Forky,forky,2025-08-09,2027-07-01\n"
        "15,Duke,duke,2027-08-01\n"
    )
    read = suites.all_suites
    monkeypatch.setattr(suites, "all_suites", lambda: read(table))
    assert suites.find_suite("testing") == "forky"
    assert suites.known("duke") is None
    today(date(2027, 8, 2))
    assert suites.stable_suites()[0].name == "forky"
    assert suites.find_suite("testing") == "duke"


def test_the_hosts_own_debian_mirror_is_found_by_origin_or_path():
    assert (
        parse_index_targets("http://m.example/debian-security/|Debian|Debian-Security\nhttp://m.example/deb/|Debian|Debian\n")
        == "http://m.example/deb"
    )
    assert parse_index_targets("http://m.example/debian/||\n") == "http://m.example/debian"
    assert (
        parse_index_targets("http://archive.ubuntu.com/ubuntu/|Ubuntu|Ubuntu\nhttps://deb.nodesource.com/node_20.x/|Node Source|Node\n")
        == ""
    )
    assert parse_index_targets("file:/srv/debian|Debian|Debian\n") == ""
    assert parse_index_targets("garbage\n\n||\n") == ""


def test_only_the_hosts_ways_to_reach_mirrors_are_taken_over():
    lines = [
        'Acquire::http::Proxy "http://p:3128";',
        'Acquire::Languages "none";',
        'Acquire::http::Proxy::m.example "DIRECT";',
        'Acquire::Check-Valid-Until "false";',
        'APT::Sandbox::User "root";',
    ]
    text = "\n".join(lines)
    assert parse_options(text) == (
        'Acquire::http::Proxy "http://p:3128";',
        'Acquire::http::Proxy::m.example "DIRECT";',
        'Acquire::Check-Valid-Until "false";',
    )


def test_a_release_file_names_codename_and_architectures():
    release = parse_release("Origin: Debian\nCodename: trixie\nArchitectures: all amd64 arm64\nMD5Sum:\n 123 456 x\n")
    assert release.codename == "trixie"
    assert release.architectures == {"all", "amd64", "arm64"}
    assert parse_release("").architectures == frozenset()


def test_the_key_changes_with_what_is_in_the_image():
    recipe = make_recipe("trixie", find_arch("x86_64"), MIRROR)
    assert recipe.key == make_recipe("trixie", find_arch("x86_64"), MIRROR).key
    assert recipe.key.startswith("debian-trixie-x86_64-")
    others = [
        make_recipe("bookworm", find_arch("x86_64"), MIRROR),
        make_recipe("trixie", find_arch("aarch64"), MIRROR),
        make_recipe("trixie", find_arch("x86_64"), Mirror("http://other.example/debian", "")),
    ]
    assert len({recipe.key, *(other.key for other in others)}) == 4


def test_architectures_without_uefi_get_no_boot_loader():
    recipe = make_recipe("trixie", find_arch("s390x"), MIRROR)
    assert not recipe.uefi
    assert "systemd-boot" not in recipe.packages
    assert not any("/boot/efi" in file.text for file in recipe.late)


def test_sid_has_no_updates_and_no_security_archive():
    sources = next(file.text for file in make_recipe("sid", find_arch("x86_64"), MIRROR).late if file.path.endswith("debian.sources"))
    assert "Suites: sid\n" in sources
    assert "security" not in sources


def test_the_shared_image_has_no_identity():
    files = {file.path: file for file in make_recipe("trixie", find_arch("x86_64"), MIRROR).late}
    assert files["/etc/machine-id"].text == ""


def test_the_root_partition_is_the_last_and_fits():
    esp, root = partitions(uefi=True)
    assert esp.start + esp.size <= root.start
    assert root.start + root.size < VIRTUAL_SIZE
    assert len(partitions(uefi=False)) == 1
    assert sfdisk_script(partitions(uefi=True)).startswith("label: gpt\n")


def register(folder, *, name="qemu-x", flags="OCF", enabled=True, arch=FOREIGN) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "status").write_text("enabled\n")
    (folder / "register").write_text("")
    head = arch.elf.example()[:20]
    mask = "ffffffffffffff00fffffffffffffffffeffffff"
    state = "enabled" if enabled else "disabled"
    (folder / name).write_text(f"{state}\ninterpreter /usr/bin/{name}\nflags: {flags}\noffset 0\nmagic {head.hex()}\nmask {mask}\n")


def test_this_hosts_own_architecture_needs_no_emulator(tmp_path):
    check_emulator(host_arch(), tmp_path / "absent")


def test_a_registered_emulator_is_enough(tmp_path):
    register(tmp_path / "binfmt")
    check_emulator(FOREIGN, tmp_path / "binfmt")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"flags": "OC"}, "flag F"), ({"enabled": False}, "switched off"), ({"arch": find_arch("s390x")}, "no emulator")],
)
def test_an_emulator_that_cannot_work_is_explained(tmp_path, change, words):
    register(tmp_path / "binfmt", **change)
    with pytest.raises(HostError) as caught:
        check_emulator(FOREIGN, tmp_path / "binfmt")
    assert words in caught.value.reason
    assert caught.value.hint


def test_an_unmounted_binfmt_misc_says_what_to_do(tmp_path):
    with pytest.raises(HostError) as caught:
        check_emulator(FOREIGN, tmp_path)
    assert "not mounted" in caught.value.reason
    assert f"qd binfmt install {FOREIGN.name}" in caught.value.hint


def test_subordinate_ids_are_found_by_name_or_number(tmp_path):
    file = tmp_path / "subuid"
    file.write_text("# comment\nalice:100000:65536\n1001:200000:65536\nbob:300000:1000\nbroken\n")
    assert has_range(file, "alice", 1)
    assert has_range(file, "x", 1001)
    assert not has_range(file, "bob", 1)
    assert not has_range(tmp_path / "absent", "alice", 1)


def test_only_a_real_folder_of_ours_is_a_leftover(tmp_path):
    (tmp_path / "link").symlink_to("/")
    assert leftover(tmp_path)
    assert not leftover(tmp_path / "link")
    assert not leftover(tmp_path / "absent")
