import json
from dataclasses import replace

import pytest

from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.entries.owner import Owner, OwnerKind
from quarterdeck.binfmt.kernel.instance import Built, Instance, Kind
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.status.model import EntryStatus, Runs
from quarterdeck.binfmt.status.read import assemble, first_asked
from quarterdeck.core.arch import find_arch
from quarterdeck.host.binfmt_misc import Entry

HOST = find_arch("x86_64")
SOUND = Instance(
    folder="/proc/sys/fs/binfmt_misc",
    built=Built.YES,
    mounted=True,
    automount=False,
    enabled=True,
    writable=True,
    kind=Kind.HOST,
    kernel=(6, 18),
    created=1.0,
)
KEEPER = Choice(Keeper.BINFMT_D, "systemd")


def entry_of(arch, flags="POCF", name=None, enabled=True):
    new = Registration.of(find_arch(arch), f"/usr/bin/qemu-{arch}-static", flags)
    return Entry(name or new.name, enabled, new.interpreter, flags, 0, new.magic, new.mask)


def status_of(entry, **changes):
    arch = find_arch(entry.name.removeprefix("qemu-").partition(".")[0])
    facts = {
        "entry": entry,
        "arch": arch,
        "emulator": True,
        "owner": Owner(OwnerKind.PACKAGE, "qemu-user-static"),
        "registered": 2.0,
        "file": FileState.SAME,
        "version": (7, 2, 22),
        "static": True,
        "oddity": "",
        "standard": True,
        "native": False,
        "first": True,
        "kept": True,
        "temporary": False,
    }
    return EntryStatus(**{**facts, **changes})


ARM64 = status_of(entry_of("aarch64"))


def keys(*entries, instance=SOUND, keeper=KEEPER):
    return [finding.key for finding in assemble(instance, keeper, entries, host=HOST).findings]


def test_a_sound_host_has_no_findings():
    assert keys(ARM64) == []
    assert assemble(SOUND, KEEPER, [ARM64], host=HOST).sound


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"mounted": False, "kind": Kind.ABSENT, "built": Built.NO}, "not-built"),
        ({"mounted": False, "kind": Kind.ABSENT, "built": Built.MODULE}, "not-loaded"),
        ({"mounted": False, "kind": Kind.ABSENT}, "not-mounted"),
        ({"enabled": False}, "switched-off"),
        ({"kernel": (4, 4)}, "old-kernel"),
    ],
)
def test_a_kernel_that_cannot_emulate_fails(changes, key):
    status = assemble(replace(SOUND, **changes), KEEPER, [], host=HOST)
    assert [finding.key for finding in status.findings] == [key]
    assert not status.sound
    assert all(finding.fix for finding in status.findings)


def test_an_own_instance_and_an_inherited_one_are_told():
    assert keys(instance=replace(SOUND, kind=Kind.OWN)) == ["own-instance"]
    assert keys(instance=replace(SOUND, kind=Kind.INHERITED)) == ["inherited"]


def test_a_binfmt_support_that_is_too_old_is_told():
    assert keys(instance=replace(SOUND, binfmt_support="2.1.6-1")) == ["old-binfmt-support"]
    assert keys(instance=replace(SOUND, binfmt_support="2.2.2-2")) == []


@pytest.mark.parametrize(
    ("entry", "changes", "key"),
    [
        (entry_of("aarch64", "POC"), {}, "no-fix-binary"),
        (entry_of("aarch64", "POF"), {}, "no-credentials"),
        (entry_of("aarch64", enabled=False), {"first": False}, "disabled"),
        (entry_of("aarch64"), {"first": False}, "hidden"),
        (entry_of("aarch64"), {"file": FileState.CHANGED}, "interpreter-changed"),
        (entry_of("aarch64"), {"file": FileState.MISSING}, "interpreter-missing"),
        (entry_of("aarch64"), {"static": False}, "dynamic"),
        (entry_of("aarch64"), {"oddity": "it also claims"}, "odd-magic"),
        (entry_of("i386"), {"native": True}, "native-shadowed"),
        (entry_of("aarch64"), {"kept": False}, "not-kept"),
        (entry_of("aarch64", name="qemu-aarch64.quarterdeck"), {"temporary": True}, "left-over"),
    ],
)
def test_each_fault_of_an_entry_is_found_with_what_mends_it(entry, changes, key):
    status = assemble(SOUND, KEEPER, [status_of(entry, **changes)], host=HOST)
    assert [finding.key for finding in status.findings] == [key]
    assert status.findings[0].fix
    assert status.findings[0].entry == entry.name


def test_an_entry_that_is_no_emulator_is_told_where_it_takes_the_programs_of_an_architecture():
    assert keys(status_of(entry_of("aarch64", ""), emulator=False)) == ["foreign"]
    assert keys(status_of(entry_of("aarch64", ""), emulator=False, first=False)) == []
    assert keys(status_of(entry_of("aarch64", ""), emulator=False, arch=None, first=False)) == []


def test_a_kernel_whose_version_is_not_known_is_not_called_old():
    assert keys(instance=replace(SOUND, kernel=(0, 0))) == []


def test_what_nothing_keeps_is_a_finding_only_where_something_could():
    loose = status_of(entry_of("aarch64"), kept=False)
    assert keys(loose, keeper=Choice(Keeper.NONE, "why", "how")) == []


def platform(name, *entries, instance=SOUND, proved=None):
    found = assemble(instance, KEEPER, entries, host=HOST, proved=proved).platforms
    return next(one for one in found if one.platform == name)


def test_an_image_build_finds_native_and_emulated_platforms():
    assert platform("linux/amd64").runs is Runs.NATIVE
    assert platform("linux/386").runs is Runs.NATIVE
    assert platform("linux/arm64", ARM64).runs is Runs.EMULATED
    assert platform("linux/arm64").runs is Runs.NO


def test_a_native_platform_whose_programs_an_entry_takes_over_is_emulated():
    assert platform("linux/386", status_of(entry_of("i386"), native=True)).runs is Runs.EMULATED


@pytest.mark.parametrize(
    ("one", "instance", "reason"),
    [
        (status_of(entry_of("aarch64", "POC")), SOUND, "flag F"),
        (status_of(entry_of("aarch64"), static=False), SOUND, "not static"),
        (ARM64, replace(SOUND, enabled=False), "switched off"),
        (status_of(entry_of("aarch64", enabled=False), first=False), SOUND, "no emulator"),
        (ARM64, replace(SOUND, mounted=False, kind=Kind.ABSENT), "cannot be seen"),
    ],
)
def test_a_platform_that_would_not_run_says_why(one, instance, reason):
    found = platform("linux/arm64", one, instance=instance)
    assert found.runs is Runs.NO
    assert reason in found.reason


def test_a_proof_has_the_last_word():
    assert platform("linux/arm64", ARM64, proved={"aarch64": "killed by SIGSEGV"}).runs is Runs.NO
    proved = platform("linux/arm64", status_of(entry_of("aarch64"), static=False), proved={"aarch64": ""})
    assert (proved.runs, proved.proved) == (Runs.EMULATED, True)


def test_the_newest_entry_that_is_switched_on_is_asked_first():
    older, newer = Found(entry_of("aarch64"), 1.0), Found(entry_of("aarch64", name="qemu-a"), 2.0)
    off = Found(entry_of("aarch64", name="qemu-z", enabled=False), 3.0)
    assert first_asked([newer, off, older]) == {"aarch64": "qemu-a"}


def test_the_whole_status_is_json():
    document = json.loads(json.dumps(assemble(SOUND, KEEPER, [ARM64], host=HOST).to_json()))
    assert document["instance"]["instance"] == "host"
    assert document["entries"][0]["version"] == "7.2.22"
    assert document["entries"][0]["magic"].startswith("7f454c46")
    assert {platform["platform"] for platform in document["platforms"]} >= {"linux/amd64", "linux/arm64"}
