"""Random registries, random deaths and refusals: some emulator always remains, and a refusal changes nothing."""

import errno
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.binfmt.fake_kernel import FakeKernel

from quarterdeck.binfmt.change.apply import RolledBack, apply
from quarterdeck.binfmt.change.plan import Wanted, plan_install
from quarterdeck.binfmt.entries.interpreter import FileState, Found
from quarterdeck.binfmt.kernel.registration import Registration, mask_of
from quarterdeck.core.arch import find_arch
from quarterdeck.host.binfmt_misc import claiming

ARM64 = find_arch("arm64")
GOAL = Registration.of(ARM64, "/usr/bin/qemu-aarch64-static", "OCF")
NAMES = ("qemu-aarch64", "qemu-aarch64.quarterdeck", "qemu-aarch64.quarterdeck-2", "qemu-aarch64-static", "qemu-arm64")


class Killed(BaseException):
    """The process is gone."""


class MortalKernel(FakeKernel):
    """Dies for good before its ``dies_at``-th write, or refuses that one write."""

    dies_at: int | None = None
    refuses_at: int | None = None

    def _write(self, name, content):
        if self.dies_at is not None and len(self.writes) >= self.dies_at:
            raise Killed
        if self.refuses_at is not None and len(self.writes) == self.refuses_at:
            self.refuses_at = None
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        super()._write(name, content)


entry = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(["/usr/bin/qemu-aarch64-static", "/old/qemu-aarch64"]),
    st.sampled_from(["OCF", "POF", "F", ""]),
    st.sampled_from([mask_of(ARM64.elf), b"\xff" * 20]),
    st.booleans(),
)
registries = st.lists(entry, max_size=5, unique_by=lambda one: one[0])


def filled(folder, entries):
    kernel = MortalKernel(folder / "binfmt_misc")
    for name, interpreter, flags, mask, enabled in entries:
        kernel.register(Registration(name, GOAL.magic, mask, interpreter, flags))
        if not enabled:
            kernel.disable(name)
    return kernel


def make(entries):
    return plan_install([Wanted(ARM64, GOAL)], [Found(one, 1.0, FileState.SAME) for one in entries], host=find_arch("x86_64"))


def working(kernel):
    return [one for one in claiming(ARM64, kernel.entries()) if one.enabled]


def state(kernel):
    return sorted(kernel.entries(), key=lambda one: one.name)


@settings(max_examples=150, deadline=None)
@given(entries=registries, after=st.integers(0, 12))
def test_a_kill_at_any_moment_leaves_an_emulator_if_there_was_one(entries, after):
    folder = Path(tempfile.mkdtemp())
    try:
        kernel = filled(folder, entries)
        worked = bool(working(kernel))
        kernel.dies_at = len(kernel.writes) + after
        try:
            apply(kernel, make)
        except Killed:
            assert bool(working(kernel)) or not worked
        kernel.dies_at = None
        apply(kernel, make)
        assert [one.flags for one in working(kernel)] == ["OCF"] * len(working(kernel))
        assert working(kernel) == kernel.entries()
        assert make(kernel.entries()).changes == ()
    finally:
        shutil.rmtree(folder)


def outcome(kernel):
    try:
        apply(kernel, make)
    except RolledBack as error:
        return error
    return None


@settings(max_examples=150, deadline=None)
@given(entries=registries, after=st.integers(0, 12))
def test_a_refusal_at_any_moment_changes_nothing(entries, after):
    folder = Path(tempfile.mkdtemp())
    try:
        kernel = filled(folder, entries)
        before = state(kernel)
        kernel.refuses_at = len(kernel.writes) + after
        if (refusal := outcome(kernel)) is not None:
            assert refusal.remains == ()
            assert state(kernel) == before
    finally:
        shutil.rmtree(folder)
