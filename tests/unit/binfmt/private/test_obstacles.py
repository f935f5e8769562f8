import errno

import pytest

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.private import obstacles
from quarterdeck.core import process
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError
from quarterdeck.host.check import Check, Status
from quarterdeck.host.checks import userns

FINE = Check(key="userns", title="", status=Status.OK, detail="on")
LIMITED = Check(key="userns", title="", status=Status.WARN, detail="limited to 0", fix="sysctl user.max_user_namespaces=15000")


@pytest.fixture
def limits(monkeypatch):
    def say(check: Check) -> None:
        monkeypatch.setattr(userns, "kernel_check", lambda root: check)

    say(FINE)
    return say


@pytest.mark.parametrize(
    ("release", "older"),
    [("6.6.99-lts", True), ("5.10.0-30-amd64", True), ("6.7.0", False), ("6.18.44-x", False), ("10.0", False), ("odd", False), ("", False)],
)
def test_kernels_before_6_7_are_too_old(release, older):
    assert obstacles.older(release) is older


@pytest.mark.parametrize(
    ("number", "release", "key"),
    [
        (errno.EPERM, "6.1.0-30-amd64", "kernel-too-old"),
        (errno.ENODEV, "6.1.0", "no-binfmt-misc"),
        (errno.ENODEV, "6.12.0", "no-binfmt-misc"),
        (errno.ENOENT, "6.12.0", "no-binfmt-misc"),
        (errno.EPERM, "6.12.0", "binfmt-not-mounted"),
        (errno.ENOSPC, "6.12.0", "binfmt-not-mounted"),
    ],
)
@pytest.mark.usefixtures("limits")
def test_a_failed_mount_is_explained(number, release, key):
    error = obstacles.cannot_mount(number, release)
    assert error.key == key
    assert error.reason
    assert error.hint


def test_a_limit_of_the_kernel_is_named_before_anything_vague(limits):
    limits(LIMITED)
    for error in (obstacles.cannot_mount(errno.EPERM, "6.12.0"), obstacles.cannot_unshare("unshare failed")):
        assert error.key == "userns-forbidden"
        assert error.reason == "user namespaces: limited to 0"
        assert error.hint == LIMITED.fix


@pytest.mark.usefixtures("limits")
def test_else_unshare_speaks_for_itself():
    assert obstacles.cannot_unshare("unshare failed: Operation not permitted").reason == "unshare failed: Operation not permitted"
    assert obstacles.cannot_unshare("").reason == "unshare(1) ended without a word"


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOENT, "/opt/emulator is not there"), (errno.EEXIST, "given twice"), (errno.EINVAL, "flags 'CF'"), (errno.ENOMEM, "memory")],
)
def test_a_refused_registration_says_which_and_why(number, words):
    error = obstacles.cannot_register(Registration.of(find_arch("arm64"), "/opt/emulator", "CF"), number)
    assert error.message == "qemu-aarch64 cannot be registered"
    assert words in error.reason


def test_a_missing_program_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(process, "find", lambda name: None)
    with pytest.raises(HostError) as caught:
        obstacles.find_program("nsenter")
    assert caught.value.message == "nsenter is not installed"
    assert "util-linux" in caught.value.hint
