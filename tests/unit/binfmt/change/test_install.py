import pytest
from tests.unit.binfmt.fake_kernel import FakeKernel

from quarterdeck.binfmt.change.apply import RolledBack
from quarterdeck.binfmt.change.install import install, native_names, planner, uninstall, wanted_of
from quarterdeck.binfmt.emulators.find import Emulator
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.selection import select
from quarterdeck.core.arch import find_arch, host_arch

NAMES = [name for name in ("arm64", "riscv64", "s390x") if find_arch(name) != host_arch()]
SYSTEMD = Choice(Keeper.BINFMT_D, "systemd")
NOBODY = Choice(Keeper.NONE, "nothing registers at boot", "do it again")


@pytest.fixture
def kernel(tmp_path):
    return FakeKernel(tmp_path / "binfmt_misc")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root/etc/binfmt.d").mkdir(parents=True)
    return tmp_path / "root"


def wanted(tmp_path, *words, version=(7, 2, 0), **options):
    selection = select(words)
    emulators = []
    for arch in selection.arches:
        (tmp_path / f"qemu-{arch.user}").touch()
        emulators.append(Emulator(arch, tmp_path / f"qemu-{arch.user}", version, True))
    return wanted_of(selection, emulators, **options)


def entry_names(kernel):
    return [entry.name for entry in kernel.entries()]


def test_what_is_installed_is_kept_and_uninstalled_again(tmp_path, kernel, root):
    made = install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=SYSTEMD, root=root)
    assert entry_names(kernel) == sorted(f"qemu-{find_arch(name).user}" for name in NAMES)
    assert len(made.kept) == len(NAMES)
    gone = uninstall(kernel, ["all"], keeper=SYSTEMD, root=root)
    assert entry_names(kernel) == []
    assert sorted(gone.kept) == sorted(made.kept)
    assert list((root / "etc/binfmt.d").iterdir()) == []


def test_nothing_is_written_to_disk_when_it_is_not_to_be_kept(tmp_path, kernel, root):
    outcome = install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=None, root=root)
    assert (outcome.kept, outcome.notes) == ((), ())
    assert list((root / "etc/binfmt.d").iterdir()) == []


def test_where_nothing_keeps_it_the_user_is_told(tmp_path, kernel, root):
    outcome = install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=NOBODY, root=root)
    assert outcome.notes == ("not kept over a reboot: nothing registers at boot; do it again",)


def test_a_file_that_cannot_be_written_takes_the_entries_back(tmp_path, kernel, root):
    (root / f"etc/binfmt.d/qemu-{find_arch(NAMES[0]).user}.conf").write_text("# mine\n")
    with pytest.raises(RolledBack, match="cannot be written"):
        install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=SYSTEMD, root=root)
    assert entry_names(kernel) == []


def test_a_registry_that_is_switched_off_is_switched_on(tmp_path, kernel, root):
    kernel._write("status", b"0")
    outcome = install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=None, root=root)
    assert (kernel.folder / "status").read_text() == "enabled\n"
    assert "switched off" in outcome.notes[0]


def test_a_package_that_competes_is_named(tmp_path, kernel, root):
    name = f"qemu-{find_arch(NAMES[0]).user}"
    (root / "var/lib/binfmts").mkdir(parents=True)
    (root / f"var/lib/binfmts/{name}").write_text("qemu-user-static\nmagic\n0\nM\nK\n/usr/bin/q\n\nno\nyes\nyes\n")
    outcome = install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=SYSTEMD, root=root)
    assert "qemu-user-static" in outcome.notes[0]


def test_what_the_machine_runs_itself_is_left_alone(tmp_path, kernel, root):
    install(kernel, planner(wanted(tmp_path, "all"), kernel), keeper=None, root=root)
    assert not {f"qemu-{find_arch(name).user}" for name in native_names()} & set(entry_names(kernel))


def test_flags_are_the_best_that_the_emulator_supports_or_exactly_those_given(tmp_path):
    (old,) = wanted(tmp_path, NAMES[0], version=(5, 2, 0))
    (new,) = wanted(tmp_path, NAMES[0], version=(10, 0, 0))
    (given,) = wanted(tmp_path, NAMES[0], flags="F")
    assert (old.registration.flags, new.registration.flags) == ("OCF", "POCF")
    assert (given.registration.flags, given.flags_given, given.named) == ("F", True, True)


def test_a_file_without_an_entry_is_uninstalled_too(tmp_path, kernel, root):
    install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=SYSTEMD, root=root)
    for name in entry_names(kernel):
        kernel.remove(name)
    assert len(uninstall(kernel, NAMES, keeper=SYSTEMD, root=root).kept) == len(NAMES)


def test_a_failure_leaves_a_registry_that_was_switched_off_as_it_was(tmp_path, kernel, root):
    kernel._write("status", b"0")
    (root / f"etc/binfmt.d/qemu-{find_arch(NAMES[0]).user}.conf").write_text("# mine\n")
    with pytest.raises(RolledBack):
        install(kernel, planner(wanted(tmp_path, *NAMES), kernel), keeper=SYSTEMD, root=root)
    assert (kernel.folder / "status").read_text() == "disabled\n"
