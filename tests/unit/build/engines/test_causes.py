import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.engines.causes import RULES, find_cause
from quarterdeck.build.engines.emulators import Emulator
from quarterdeck.build.engines.events import BuildStep
from quarterdeck.build.engines.failure import BuildFailedError, BuildHangsError, Evidence
from quarterdeck.build.engines.watchdog import Busy, Hang
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.platform import Platform

ARM64 = Platform.parse("linux/arm64")


def evidence(error: str = "", *lines: str, platform: str = "linux/arm64", emulated: bool = True, step: str = "RUN x") -> Evidence:
    return Evidence(
        engine=EngineName.BUILDAH,
        version="1.28.2",
        platform=Platform.parse(platform),
        emulated=emulated,
        step=BuildStep("1", step, "", 2, 3),
        error=error,
        lines=lines,
    )


@pytest.mark.parametrize(
    ("error", "line", "key"),
    [
        ("exit status 1", "exec /bin/sh: exec format error", "exec-format-error"),
        ("exit status 127", "/x: line 1: ELF\ufffd@@: not found", "exec-format-error"),
        ("exit status 127", "/x: 1: \x7fELF: not found", "exec-format-error"),
        ("secret required but no secret with id token found", "", "secret-missing"),
        ("COPY --from=biuld: no stage or image found with that name", "", "stage-missing"),
        ("exit code: 255", "standard_init_linux.go:228: exec user process caused: exec format error", "exec-format-error"),
        ("exit status 139", "QEMU internal SIGSEGV {code=MAPERR, addr=0x20}", "qemu-crashed"),
        ("exit status 132", "qemu: uncaught target signal 4 (Illegal instruction) - core dumped", "illegal-instruction"),
        ("exit status 139", "qemu: uncaught target signal 11 (Segmentation fault) - core dumped", "emulated-crash"),
        ("exit status 134", "qemu: uncaught target signal 6 (Aborted) - core dumped", "emulated-crash"),
        ("process did not complete successfully: exit code: 132", "Illegal instruction", "illegal-instruction"),
        ("exit status 139", "", "emulated-crash"),
        ("exit status 1", "sudo: effective uid is not 0", "setuid-under-emulation"),
        ("exit status 1", "avc:  denied  { execute } for pid=1", "selinux"),
        ("exit status 1", "cp: error writing '/x': No space left on device", "no-space"),
        ('committing container for step {}: copying layers: io: read/write on closed pipe', "", "no-space"),
        ("exit status 1", "c++: fatal error: Killed signal terminated program cc1plus", "out-of-memory"),
        ("exit status 137", "", "out-of-memory"),
        ("no match for platform in manifest sha256:0: not found", "", "platform-missing"),
        ('choosing an image: no image found in manifest list for architecture s390x, variant "", OS linux', "", "platform-missing"),
        ("failed to authorize: failed to fetch anonymous token: 401 Unauthorized", "", "wrong-credentials"),
        ("pull access denied, repository does not exist or may require authorization", "", "wrong-credentials"),
        ("reading manifest here in 127.0.0.1:5000/x: manifest unknown", "", "image-missing"),
        ('pinging container registry r: Get "https://r/v2/": x509: certificate signed by unknown authority', "", "registry-certificate"),
        ('failed to do request: Head "http://[::1]:1/v2/x": dial tcp: connect: connection refused', "", "registry-unreachable"),
        ('pinging container registry r: Get "https://r/v2/": dial tcp: lookup r: no such host', "", "registry-unreachable"),
        ("toomanyrequests: You have reached your pull rate limit", "", "rate-limited"),
        ("exit status 100", "Temporary failure resolving 'deb.debian.org'", "no-network"),
        ("executor failed running [/bin/sh -c true]: network bridge not found", "", "no-network"),
        ("Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?", "", "engine-lost"),
        ("rpc error: code = Unavailable desc = error reading from server: EOF", "", "engine-lost"),
        ("exit status 127", "/bin/sh: 1: make: not found", "command-missing"),
    ],
)  # fmt: skip
def test_words_of_engines_and_programs_have_a_cause(error: str, line: str, key: str) -> None:
    cause = find_cause(evidence(error, line))
    assert cause is not None
    assert cause.key == key
    assert cause.reason
    assert cause.hint


def test_a_crash_without_emulation_is_the_programs_own() -> None:
    assert find_cause(evidence("exit status 139", emulated=False)) is None
    assert find_cause(evidence("exit status 1", "sudo: effective uid is not 0", emulated=False)) is None


@pytest.mark.parametrize(("platform", "known"), [("linux/arm/v7", True), ("linux/arm64", False)])
def test_large_offsets_are_an_old_bug_of_32_bit_programs_only(platform: str, known: bool) -> None:
    cause = find_cause(evidence("exit status 101", "Value too large for defined data type (os error 75)", platform=platform))
    assert (cause is not None) == known


def test_a_missing_file_is_one_of_the_context_in_copy_only() -> None:
    error = "failed to compute cache key: failed to walk: lstat a: no such file or directory: /a: not found"
    assert getattr(find_cause(evidence(error, step="COPY a b")), "key", "") == "file-missing"
    assert find_cause(evidence("exit status 2", "make: nothing: not found")) is None


def test_an_unknown_failure_keeps_the_engines_words() -> None:
    found = evidence("exit status 2", "make: *** Error")
    error = BuildFailedError(found, ("make: *** Error",), find_cause(found))
    assert (error.key, error.reason) == ("build-failed", "exit status 2")
    assert error.message == "the build for linux/arm64 failed in [2/3] RUN x"
    assert error.to_json()["tail"] == ["make: *** Error"]
    assert error.to_json()["status"] == 2
    assert error.exit_code == 6


def test_a_known_failure_keeps_the_end_of_the_engines_words() -> None:
    found = evidence("x" * 400 + ": no space left on device")
    error = BuildFailedError(found, (), find_cause(found))
    assert error.reason.startswith("the node's disk is full (…x")
    assert error.reason.endswith("x: no space left on device)")
    assert not error.engine_lost


def test_every_rule_speaks_without_holes() -> None:
    for rule in RULES:
        assert "{" not in rule.reason.format(platform="p", elsewhere="e")
        assert "{" not in rule.hint.format(platform="p", elsewhere="e")


def hang(share: float | None) -> BuildHangsError:
    busy = () if share is None else (Busy(Emulator(1, "qemu-aarch64-static", 60.0, "/bin/sh -c x"), share),)
    return BuildHangsError(ARM64, BuildStep("1", "RUN x", "", 2, 3), Hang(600.0, busy))


def test_a_hang_says_what_the_emulator_does() -> None:
    assert "used 99% of a processor on: /bin/sh -c x" in hang(0.99).reason
    assert "waits" in hang(0.0).reason
    assert "no emulator" in hang(None).reason
    assert hang(0.99).message == "the build for linux/arm64 said nothing for 600 s in [2/3] RUN x and was ended"
    assert hang(None).exit_code == 7


@given(st.text(max_size=200))
def test_no_text_breaks_the_rules(text: str) -> None:
    find_cause(evidence(text, text))
