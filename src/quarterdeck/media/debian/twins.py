"""Native twins: a foreign Debian is installed with this host's own tools standing in for the slow emulated ones.

Most of an emulated installation is spent in a handful of architecture-independent jobs: shells and Perl running maintainer
scripts, Python compiling byte code, decompression, depmod, the hardware database. Programs of both architectures can live
in one root, since their libraries and loaders have different paths (Debian's multiarch). So the same suite's native programs
take the place of the foreign ones, by dpkg's own diversions (dpkg-divert(1)), while packages are set up, and leave before
the root is packed: diverted files go back, and all that came with the twins is deleted.

Never a twin: what tells its architecture (dpkg, uname, ldconfig), and what the initial RAM disk is made of (kmod, udevadm, fsck).
"""

from __future__ import annotations

import asyncio
import io
import re
import tarfile
from pathlib import Path

from quarterdeck.core.arch import Arch, runs_natively
from quarterdeck.core.process import run_async
from quarterdeck.errors import QuarterdeckError

HOME = "usr/lib/quarterdeck-twins"
_SUFFIX = ".quarterdeck-foreign"

_PACKAGES = (
    "bash",
    "coreutils",
    "cpio",
    "dash",
    "debianutils",
    "diffutils",
    "dpkg",
    "findutils",
    "grep",
    "gzip",
    "initramfs-tools-core",
    "kmod",
    "mawk",
    "openssl",
    "perl-base",
    "python3",
    "sed",
    "tar",
    "udev",
    "xz-utils",
    "zstd",
)

_NAMES = frozenset(
    [
        "basename",
        "bash",
        "cat",
        "chgrp",
        "chmod",
        "chown",
        "cmp",
        "comm",
        "cp",
        "cpio",
        "cut",
        "dash",
        "date",
        "depmod",
        "df",
        "diff",
        "dirname",
        "dpkg-deb",
        "dpkg-split",
        "echo",
        "egrep",
        "env",
        "expr",
        "false",
        "fgrep",
        "find",
        "grep",
        "gzip",
        "head",
        "id",
        "install",
        "join",
        "ln",
        "ls",
        "md5sum",
        "mawk",
        "mkdir",
        "mktemp",
        "mv",
        "nproc",
        "openssl",
        "paste",
        "perl",
        "printf",
        "pwd",
        "readlink",
        "realpath",
        "rm",
        "rmdir",
        "run-parts",
        "sed",
        "seq",
        "sha256sum",
        "sleep",
        "sort",
        "stat",
        "sync",
        "systemd-hwdb",
        "tail",
        "tar",
        "tee",
        "test",
        "touch",
        "tr",
        "true",
        "tsort",
        "uniq",
        "wc",
        "which.debianutils",
        "xargs",
        "xz",
        "zstd",
    ]
)
_PYTHON = re.compile(r"python3\.\d+")
_DRACUT_INSTALL = "usr/lib/dracut/dracut-install"

_PLACES = {
    "x86_64": ("x86_64-linux-gnu", "ld-linux-x86-64.so.2", "lib64"),
    "aarch64": ("aarch64-linux-gnu", "ld-linux-aarch64.so.1", "lib"),
}
"""Of each host that can lend twins: Debian's multiarch triplet, the loader, and its folder as programs name it."""

# $1 is the root. Bookworm's packages name files in /bin, later ones in /usr/bin: both names are diverted.
LAY = f"""\
set -e
cd "$1"
: >> var/lib/dpkg/diversions
while read -r path; do
  if [ -e "$path" ] || [ -L "$path" ]; then mv "$path" "$path{_SUFFIX}"; fi
  mkdir -p "${{path%/*}}"
  ln "{HOME}/files/$path" "$path"
  for name in "/$path" "/${{path#usr/}}"; do
    printf '%s\\n%s\\n:\\n' "$name" "$name{_SUFFIX}" >> var/lib/dpkg/diversions
  done
done < "{HOME}/list"
"""

REMOVE = f"""\
set -e
cd "$1"
while read -r path; do
  rm -f "$path"
  if [ -e "$path{_SUFFIX}" ] || [ -L "$path{_SUFFIX}" ]; then mv "$path{_SUFFIX}" "$path"; fi
done < "{HOME}/list"
awk '{{ line[NR % 3] = $0 }} NR % 3 == 0 && line[2] !~ /{_SUFFIX.replace(".", "[.]")}$/ {{ print line[1]; print line[2]; print line[0] }}' \
  var/lib/dpkg/diversions > "{HOME}/diversions"
cat "{HOME}/diversions" > var/lib/dpkg/diversions
while read -r path; do rm -rf "$path"; done < "{HOME}/borrowed"
rm -rf "{HOME}"
"""


def can_lend(host: Arch, guest: Arch) -> bool:
    """Whether this host's programs can stand in for ``guest``'s."""
    return host.name in _PLACES and bool(host.debian) and not runs_natively(guest, host)


async def fetch_twins(host: Arch, *, suite: str, sources: list[str], options: list[str], work: Path) -> Path | None:
    """Return a tar, to be laid into the foreign root, of ``host``'s twins of the suite's programs.

    None when there are none to be had: then everything is emulated. mmdebstrap only unpacks them; nothing is set up.
    """
    native, target = work / "native.tar", work / "twins.tar"
    argv = ["mmdebstrap", "--variant=extract", "--format=tar", f"--architectures={host.debian}", f"--include={','.join(_PACKAGES)}"]
    try:
        await run_async([*argv, *options, suite, native, *sources], env={"TMPDIR": str(work)}, timeout=600)
        await asyncio.to_thread(pack, native, target, host)
    except (QuarterdeckError, OSError, tarfile.TarError):
        return None
    return target


def pack(native: Path, target: Path, host: Arch) -> None:
    """Write the tar of twins: programs under ``HOME/files``, libraries and the loader where programs look for them."""
    triplet, loader, loader_folder = _PLACES[host.name]
    twins: list[str] = []
    borrowed = [f"usr/lib/{triplet}"]
    with tarfile.open(native) as source, tarfile.open(target, "w") as tar:
        for member in source:
            path = _merged(member.name)
            if path.startswith(f"usr/lib/{triplet}/") and not member.isdir():
                _copy(source, tar, member, path)
            elif _is_twin(path) and (member.isreg() or member.islnk() or path.endswith("/depmod")):
                twins.append(path)
                _copy(source, tar, _program(source, member, path), f"{HOME}/files/{path}")
            elif path.endswith(f"/{loader}"):
                borrowed.append(f"usr/{loader_folder}/{loader}")
                _copy(source, tar, member, borrowed[-1])
            elif "/lib-dynload/" in path and triplet in path:
                borrowed.append(path)
                _copy(source, tar, member, path)
        if loader_folder == "lib64":
            _link(tar, "lib64", "usr/lib64")
            borrowed += ["lib64", "usr/lib64"]
        _text(tar, f"{HOME}/list", twins)
        _text(tar, f"{HOME}/borrowed", borrowed)


def _merged(name: str) -> str:
    """Return a path as it is once /bin, /sbin, /lib and /lib64 are links into /usr."""
    path = name.removeprefix("./").strip("/")
    return f"usr/{path}" if path.split("/")[0] in ("bin", "sbin", "lib", "lib64") else path


def _is_twin(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if path == _DRACUT_INSTALL:
        return True
    return folder in ("usr/bin", "usr/sbin") and (name in _NAMES or _PYTHON.fullmatch(name) is not None)


def _program(source: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    """Return the file itself: depmod is a link to kmod, which acts by the name it is called by; kmod itself stays foreign."""
    if path.endswith("/depmod"):
        return next(entry for entry in source if _merged(entry.name) == "usr/bin/kmod")
    return member


def _copy(source: tarfile.TarFile, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    entry = tarfile.TarInfo(f"./{path}")
    entry.mode, entry.mtime = member.mode, member.mtime
    if member.issym():
        entry.type, entry.linkname = tarfile.SYMTYPE, member.linkname
        tar.addfile(entry)
        return
    content = source.extractfile(member)  # follows hard links
    if content is not None:
        data = content.read()
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))


def _link(tar: tarfile.TarFile, path: str, target: str) -> None:
    entry = tarfile.TarInfo(f"./{path}")
    entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
    tar.addfile(entry)


def _text(tar: tarfile.TarFile, path: str, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    entry = tarfile.TarInfo(f"./{path}")
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
