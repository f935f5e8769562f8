"""The rules that find the cause of a failed build, the most telling first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from quarterdeck.build.engines.failure import ENGINE_LOST, Cause, Evidence

_NATIVE = "build {platform} on a native node (qd nodes add), or cross-compile that stage (qd plan says where)"
_OTHER_QEMU = "try another QEMU with 'qd binfmt run', or {elsewhere}"
# docker/cli client/errors.go, google.golang.org/grpc, ssh(1); only what the engine's client says, since programs say such things too.
_LOST = re.compile(
    r"Cannot connect to the Docker daemon|error during connect:|error reading preface|error reading from server|connection error: desc"
    r"|code = Unavailable|transport is closing|closing transport|failed to list workers|client_loop: send disconnect"
    r"|server did not provide an image ID"  # all that Docker 20.10 says when its engine goes
    r"|ssh: connect to host|Connection (?:reset|closed) by|cannot connect to Podman|unable to connect to Podman"
    r"|server probably quit",  # containers/podman pkg/bindings/images/build.go
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rule:
    """A cause and its words; ``{platform}`` and ``{elsewhere}`` are filled in. ``when`` must hold besides."""

    key: str
    pattern: str
    reason: str
    hint: str
    when: Callable[[Evidence], bool] = lambda evidence: True

    def matches(self, evidence: Evidence) -> bool:
        """Whether this explains the failure."""
        return self.when(evidence) and re.search(self.pattern, evidence.text, re.IGNORECASE) is not None


def find_cause(evidence: Evidence) -> Cause | None:
    """Return the cause of the first rule that explains the failure, None when none does."""
    rule = next((rule for rule in RULES if rule.matches(evidence)), None)
    if rule is None:
        return None
    elsewhere = _NATIVE.format(platform=evidence.platform)
    fill = {"platform": str(evidence.platform), "elsewhere": elsewhere}
    return Cause(rule.key, rule.reason.format_map(fill), rule.hint.format_map(fill))


def _emulated(evidence: Evidence) -> bool:
    return evidence.emulated


def _is_32_bit(evidence: Evidence) -> bool:
    arch = evidence.platform.arch
    return evidence.emulated and arch is not None and arch.elf.bits == 32


def _emulated_status(*statuses: int) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.emulated and evidence.status in statuses


def tells_of_lost_engine(text: str) -> bool:
    """Whether an engine's client says that its engine, or the connection to it, went away."""
    return _LOST.search(text) is not None


def _is_lost(evidence: Evidence) -> bool:
    return tells_of_lost_engine("\n".join((evidence.error, *evidence.lines[-2:])))


RULES: tuple[Rule, ...] = (
    Rule(
        ENGINE_LOST,
        r"",
        "the engine, or the connection to its node, went away during the build",
        "see whether it still answers: qd nodes ls",
        _is_lost,
    ),
    # errno(3) ENOEXEC as the kernel's answer to a foreign program without an entry in binfmt_misc; dash and busybox then read the
    # program as a script, which begins with the mark of ELF.
    Rule(
        "exec-format-error",
        r"exec format error|cannot execute binary file|: (?:line )?1: \x7f?ELF",
        "a program of the image is for a processor that this node cannot run, and no emulator takes it",
        "register one with 'qd binfmt install', or see what is wrong with it: qd binfmt status; or check the image: qd image check",
    ),
    # linux-user/signal.c of QEMU 4 to 10.
    Rule(
        "qemu-crashed",
        r"QEMU internal SIG(?:SEGV|ILL|BUS|FPE|ABRT|TRAP)",
        "QEMU itself crashed; with some host kernels and programs some of its versions do",
        _OTHER_QEMU,
    ),
    Rule(
        "illegal-instruction",
        r"uncaught target signal 4\b",
        "the program used an instruction that the emulated processor has not, or QEMU does not know",
        "choose another CPU model (QEMU_CPU, see qd binfmt install --cpu), " + _OTHER_QEMU,
    ),
    Rule(
        "emulated-crash",
        r"uncaught target signal (?:11|6|7)\b",
        "the program crashed under emulation; natively it may well not",
        _OTHER_QEMU,
    ),
    # arch_prctl, membarrier and such: linux-user/syscall.c prints this with QEMU_STRACE and for unknown calls.
    Rule("unsupported-syscall", r"qemu: unsupported syscall|qemu: Unsupported", "QEMU does not know a system call of it", _OTHER_QEMU),
    # readdir of 32-bit programs on ext4 with 64-bit hashes: rust-lang/cargo#8719, QEMU bug 263.
    Rule(
        "large-file-offsets",
        r"Value too large for defined data type|os error 75\b|EOVERFLOW",
        "a 32-bit program got a number from a 64-bit file system that does not fit: an old bug of emulation on ext4",
        "put the folder that it lists on a tmpfs (RUN --mount=type=tmpfs,target=...), or {elsewhere}",
        _is_32_bit,
    ),
    # sudo and su under binfmt_misc without flag C run with the credentials of the emulator.
    Rule(
        "setuid-under-emulation",
        r"effective uid is not 0|must be setuid root|must be owned by uid 0 and have the setuid bit",
        "set-uid programs have no privileges under this emulator: its registration lacks the flag C",
        "register it anew with 'qd binfmt install', which sets the flag, or do without sudo: builds are root already",
        _emulated,
    ),
    Rule(
        "selinux",
        r"avc:\s+denied|SELinux.*(?:denied|prevent)|error while loading shared libraries:.*cannot apply additional memory protection",
        "SELinux forbids it",
        "see 'ausearch -m avc -ts recent'; label the files (restorecon), or for one build: --security-opt label=disable after --",
    ),
    Rule(
        "no-space",
        r"no space left on device|disk quota exceeded",
        "the node's disk is full",
        "free space there: 'docker builder prune', or 'buildah prune'; then try again",
    ),
    # Go's io.ErrClosedPipe: the half of containers/storage that unpacks a layer ended, and the other half's words win.
    Rule(
        "no-space",
        r"io: read/write on closed pipe",
        "a layer could not be stored: most often the disk with the engine's images is full",
        "see 'df' there, and free space: 'buildah prune'; then try again",
    ),
    Rule(
        "out-of-memory",
        r"cannot allocate memory|out of memory|virtual memory exhausted|signal: killed|fatal error: killed signal terminated program",
        "the node has too little memory for this step",
        "run fewer builds at a time there (slots of the node, make -j), or give it more memory",
    ),
    # containerd remotes/docker, containers/image docker/docker_client.go.
    Rule(
        "platform-missing",
        r"no match for platform in manifest|no matching manifest for|no image found in (?:image index|manifest list) for architecture"
        r"|does not match the specified platform|choosing image instance",
        "the base image has nothing for {platform}",
        "look at what it has with 'skopeo inspect --raw', and choose another base image for this platform",
    ),
    Rule(
        "wrong-credentials",
        r"401 Unauthorized|unauthorized:|authentication required|incorrect username or password|403 Forbidden"
        r"|requested access to the resource is denied|insufficient_scope|pull access denied",
        "a registry refused the credentials, or has no such repository",
        "log in ('docker login', 'buildah login' or 'skopeo login') and check the name of the image",
    ),
    Rule(
        "image-missing",
        r"manifest unknown|MANIFEST_UNKNOWN|NAME_UNKNOWN|repository name not known|manifests/\S+: not found|: not found$.*failed to solve",
        "a registry has no image of this name and tag",
        "check the name of the base image",
    ),
    Rule(
        "registry-certificate",
        r"x509: |certificate signed by unknown authority|server gave HTTP response to HTTPS client",
        "a registry's certificate is not trusted, or it speaks plain HTTP",
        "give the engine its certificate, or name it as insecure in the engine's configuration of registries",
    ),
    Rule(
        "registry-unreachable",
        r"(?:failed to do request|pinging container registry|failed to resolve source metadata|Get \\?\"https?://|Head \\?\"https?://)"
        r"[\s\S]*(?:connection refused|no such host|i/o timeout|no route to host|network is unreachable|TLS handshake timeout"
        r"|server misbehaving|deadline exceeded)",
        "a registry or server cannot be reached from the node",
        "check its name and the node's network and proxy",
    ),
    Rule("rate-limited", r"toomanyrequests|429 Too Many Requests", "a registry wants fewer requests", "log in to it, or wait a while"),
    Rule(
        "no-network",
        r"Temporary failure resolving|Temporary failure in name resolution|Could not resolve host|bad address '|EAI_AGAIN|getaddrinfo"
        r"|network bridge not found|Network is unreachable",
        "the step has no network, or no name service",
        "check the node's network; or try --network host",
    ),
    # imagebuildah/executor.go of buildah; BuildKit takes any other name for that of an image.
    Rule(
        "stage-missing",
        r"no stage or image found with that name",
        "the Dockerfile takes files from a stage that it does not have",
        "check the name after --from; 'qd plan' shows the stages",
    ),
    Rule(
        "secret-missing",
        r"secret .*not found|no secret found|no secret with id",
        "the step wants a secret that the build does not have",
        "give it with --secret id=NAME,src=FILE",
    ),
    Rule(
        "file-missing",
        r"failed to compute cache key.*not found|: not found$|no items matching glob|copier: stat: .*no such file or directory",
        "a file to copy is not in the context, or .dockerignore hides it",
        "check its name, the context folder and .dockerignore",
        lambda evidence: evidence.step is None or evidence.step.text.startswith(("COPY", "ADD")),
    ),
    # wait(2) as the shell shows it: 128 and the number of the signal.
    Rule(
        "illegal-instruction",
        r"",
        "status 132: an illegal instruction under emulation",
        "choose another CPU model (QEMU_CPU, see qd binfmt install --cpu), " + _OTHER_QEMU,
        _emulated_status(132),
    ),
    Rule(
        "emulated-crash",
        r"",
        "a program crashed under emulation (SIGSEGV, SIGABRT or SIGBUS)",
        _OTHER_QEMU,
        _emulated_status(134, 135, 139),
    ),
    Rule(
        "out-of-memory",
        r"",
        "status 137: it was killed, most often because the node has too little memory",
        "run fewer builds at a time there, or give it more memory",
        lambda evidence: evidence.status == 137,
    ),
    Rule(
        "command-missing",
        r"",
        "status 127: a command of the step is not in the image",
        "install it in an earlier step, or check PATH",
        lambda evidence: evidence.status == 127,
    ),
)
