import errno
import threading

import pytest
from tests.unit.binfmt.fake_kernel import FakeKernel

from quarterdeck.binfmt.kernel.registration import LINE_LIMIT, Registration, check_name, normal_flags
from quarterdeck.binfmt.kernel.registry import Registry
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import DeadlineError, HostError, UsageError
from quarterdeck.host.binfmt_misc import Entry

ARM64 = Registration.of(find_arch("arm64"), "/usr/bin/qemu-aarch64-static", "CF")


@pytest.fixture
def kernel(tmp_path):
    return FakeKernel(tmp_path / "binfmt_misc")


def test_what_is_registered_is_found_again_as_it_was_asked_for(kernel):
    assert kernel.register(ARM64)
    entry = kernel.find("qemu-aarch64")
    assert ARM64.matches(entry)
    assert Registration.from_entry(entry).line() == Registration.of(find_arch("arm64"), ARM64.interpreter, "OCF").line()


def test_an_identical_entry_of_somebody_faster_is_success(kernel):
    kernel.register(ARM64)
    assert not kernel.register(ARM64)


def test_another_entry_of_the_same_name_is_an_error(kernel):
    kernel.register(Registration.of(find_arch("arm64"), "/usr/bin/other", "CF"))
    with pytest.raises(HostError, match="there is an entry qemu-aarch64 already") as caught:
        kernel.register(ARM64)
    assert caught.value.key == "binfmt-exists"


def test_a_switched_off_entry_does_not_count_as_registered(kernel):
    kernel.register(ARM64)
    kernel.disable("qemu-aarch64")
    with pytest.raises(HostError, match="already"):
        kernel.register(ARM64)


def test_an_entry_that_vanishes_between_two_looks_is_an_error_in_words(kernel):
    kernel.refuse = {"register qemu-aarch64": errno.EEXIST}
    with pytest.raises(HostError, match="already"):
        kernel.register(ARM64)


@pytest.mark.parametrize(
    ("number", "key", "reason"),
    [
        (errno.EINVAL, "binfmt-refused", "does not understand"),
        (errno.ENOENT, "binfmt-refused", "no file /usr/bin/qemu-aarch64-static"),
        (errno.EACCES, "binfmt-permission", "execute bit"),
        (errno.EROFS, "binfmt-read-only", "read-only"),
        (errno.ENOEXEC, "binfmt-refused", "no program that this kernel runs"),
        (errno.ENOSPC, "binfmt-refused", "limit of interpreters"),
        (errno.ETXTBSY, "binfmt-refused", "being written"),
        (errno.ELOOP, "binfmt-refused", "leads to itself"),
        (errno.EIO, "binfmt-refused", "Input/output error"),
    ],
)
def test_each_refusal_is_said_in_words(kernel, number, key, reason):
    kernel.refuse = {"register qemu-aarch64": number}
    with pytest.raises(HostError) as caught:
        kernel.register(ARM64)
    assert caught.value.key == key
    assert reason in caught.value.reason


def test_a_registry_that_may_not_be_opened_says_what_works_without_root(kernel, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("quarterdeck.binfmt.kernel.registry.os.open", refuse)
    with pytest.raises(HostError) as caught:
        Registry(kernel.folder).register(ARM64)
    assert "qd binfmt run" in caught.value.hint
    assert "only root" in caught.value.reason


def test_entries_are_switched_off_and_go(kernel):
    kernel.register(ARM64)
    assert kernel.disable("qemu-aarch64")
    assert not kernel.find("qemu-aarch64").enabled
    assert kernel.remove("qemu-aarch64")
    assert kernel.entries() == []


def test_removing_what_is_gone_already_is_no_error(kernel):
    assert not kernel.remove("qemu-aarch64")


def test_a_refused_removal_is_said_in_words(kernel):
    kernel.refuse = {"qemu-arm -1": errno.EPERM}
    with pytest.raises(HostError, match="did not remove qemu-arm"):
        kernel.remove("qemu-arm")


@pytest.mark.parametrize("name", ["register", "status", "", ".", "..", "a/b", "../x", "a\0b", "n" * 256])
def test_names_that_name_no_entry_never_reach_the_kernel(kernel, name):
    for change in (kernel.remove, kernel.disable, check_name):
        with pytest.raises(UsageError, match="cannot name an entry"):
            change(name)
    assert kernel.writes == []


def test_a_link_in_the_folder_is_not_followed(tmp_path):
    (tmp_path / "victim").write_text("content")
    (tmp_path / "qemu-arm").symlink_to("victim")
    with pytest.raises(HostError):
        Registry(tmp_path).remove("qemu-arm")
    assert (tmp_path / "victim").read_text() == "content"


def test_a_colon_in_the_interpreter_changes_the_separator():
    line = Registration("n", b"MZ", b"", "/opt/a:b/qemu", "F").line()
    assert line == rb"|n|M||\x4d\x5a||/opt/a:b/qemu|F"


@pytest.mark.parametrize("interpreter", ["", "qemu", "/a\nb", "/a:b|c;d,e!f~g", "/" + "x" * LINE_LIMIT])
def test_interpreters_that_no_line_can_hold_are_refused(interpreter):
    with pytest.raises(UsageError, match="cannot be registered"):
        Registration("n", b"MZ", b"", interpreter, "F").line()


def test_a_longest_line_is_one_byte_short_of_the_limit():
    spare = LINE_LIMIT - 1 - len(Registration("n", b"MZ", b"", "/", "F").line())
    assert len(Registration("n", b"MZ", b"", "/" + "x" * spare, "F").line()) == LINE_LIMIT - 1


@pytest.mark.parametrize(("flags", "normal"), [("CF", "OCF"), ("FC", "OCF"), ("FOP", "POF"), ("", ""), ("PFOC", "POCF"), ("TF", "FT")])
def test_flags_have_one_order_and_c_brings_o(flags, normal):
    assert normal_flags(flags) == normal


def test_an_entry_at_an_offset_is_registered_there_again():
    entry = Entry("x", True, "/bin/x", "F", 4, b"ab", b"")
    assert Registration.from_entry(entry).line() == rb":x:M:4:\x61\x62::/bin/x:F"


def test_a_lock_keeps_others_out_until_they_give_up(kernel):
    with kernel.locked(), pytest.raises(DeadlineError, match="another program"), kernel.locked(timeout=0):
        pass


def test_a_lock_is_waited_for(kernel):
    entered = threading.Event()

    def second():
        with kernel.locked(timeout=30):
            entered.set()

    thread = threading.Thread(target=second)
    with kernel.locked():
        thread.start()
        assert not entered.wait(0.1)
    thread.join(30)
    assert entered.is_set()


def test_a_folder_without_the_kernel_says_so(tmp_path):
    with pytest.raises(HostError, match="cannot be changed"), Registry(tmp_path).locked():
        pass


def test_binfmt_misc_is_switched_on(kernel):
    (kernel.folder / "status").write_text("disabled\n")
    kernel.switch_on()
    assert (kernel.folder / "status").read_text() == "enabled\n"


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "\u00e4", "a b"])
def test_odd_names_that_the_kernel_shows_can_be_removed(kernel, name):
    (kernel.folder / name).write_text("enabled\n")
    assert kernel.remove(name)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "\u00e4"])
def test_no_entry_of_an_odd_name_is_made(kernel, name):
    with pytest.raises(UsageError, match="cannot be registered"):
        kernel.register(Registration(name, b"MZ", b"", "/bin/true", ""))
