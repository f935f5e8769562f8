"""The shell script that asks a host what it is, and runs one small program of each architecture there.

It needs no more than POSIX sh and is given on standard input, so that no login shell reads it. Each line of the answer begins with a
mark, since start-up files of shells print what they like. The programs are our own (``binfmt.programs``), a few hundred bytes each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarterdeck.binfmt.programs.build import build, supported
from quarterdeck.binfmt.programs.probe import Probe
from quarterdeck.core.arch import ARCHES, Arch

MARK = "quarterdeck:"
COMMAND: Sequence[str] = ("sh", "-s")

# Root's proof is the stricter one: in an empty root folder only an interpreter that the kernel holds open (flag F) is found.
# chroot ends with 125 where it may not; then, and for others, the program runs as it is.
_SCRIPT = """
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; LC_ALL=C; export PATH LC_ALL; umask 022
say() { printf '%s%s\\n' 'MARK' "$*"; }
limit() { if command -v timeout >/dev/null 2>&1; then timeout 10 "$@"; else "$@"; fi </dev/null >/dev/null 2>&1; }
say "kernel $(uname -s)"; say "machine $(uname -m)"; say "release $(uname -r)"; say "user $(id -u)"
say "cpus $(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)"
while read -r key value unit; do [ "$key" = MemTotal: ] && say "memory $value"; done </proc/meminfo 2>/dev/null
while IFS= read -r line; do case "$line" in flags*:*) say "flags ${line#*:}"; break;; esac; done </proc/cpuinfo 2>/dev/null
[ -r /etc/os-release ] && say "system $(. /etc/os-release; printf '%s' "$ID")"
for engine in docker podman buildah buildctl; do
  command -v "$engine" >/dev/null 2>&1 && say "engine $engine $("$engine" --version 2>/dev/null </dev/null | head -n 1)"
done
if command -v docker >/dev/null 2>&1; then
  say "docker $(timeout 10 docker version --format '{{.Server.Version}}' 2>&1 </dev/null | tail -n 1)"
fi
for file in /proc/sys/fs/binfmt_misc/*; do
  name=${file##*/}; case "$name" in register|status|'*') continue;; esac
  while IFS= read -r line; do say "entry $name $line"; done <"$file" 2>/dev/null
done
folder=
for base in "${TMPDIR:-/tmp}" /var/tmp "$HOME"; do
  try=$(mktemp -d "$base/qd.XXXXXXXX" 2>/dev/null) || continue
  trap 'rm -rf "$try"' EXIT HUP INT TERM
  printf '#!/bin/sh\\nexit 42\\n' >"$try/test" && chmod 755 "$try" "$try/test" && limit "$try/test"
  if [ $? = 42 ]; then folder=$try; break; fi
  rm -rf "$try"
done
[ -n "$folder" ] || { say "end"; exit 0; }
prove() {
  chmod 755 "$folder/$1"; how=root; status=125
  [ "$(id -u)" = 0 ] && { limit chroot "$folder" "/$1"; status=$?; }
  [ "$status" = 125 ] && { how=plain; limit "$folder/$1"; status=$?; }
  say "ran $1 $how $status"; rm -f "$folder/$1"
}
PROGRAMS
say "end"
"""


def provable() -> Mapping[Arch, bytes]:
    """Return the architectures that images are made for and that there is a program of, each with it."""
    return {arch: build(arch, Probe.EXEC) for arch in ARCHES if arch.oci and Probe.EXEC in supported(arch)}


def script(programs: Mapping[Arch, bytes]) -> bytes:
    """Return the script that runs these programs."""
    lines = (f"printf '{_octal(content)}' >\"$folder/{arch.name}\" && prove {arch.name}" for arch, content in programs.items())
    return _SCRIPT.replace("MARK", MARK).replace("PROGRAMS", "\n".join(lines)).encode()


def _octal(content: bytes) -> str:
    """Return bytes as a format of printf(1p)."""
    return "".join(f"\\{byte:03o}" for byte in content)
