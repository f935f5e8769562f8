"""Debian installed into a tar by mmdebstrap."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.core.arch import host_arch
from quarterdeck.core.process import ProcessError, find, run_async
from quarterdeck.core.report import Reporter, Step, StepStatus
from quarterdeck.errors import HostError, MediaError
from quarterdeck.media.debian.guest_files import KEYRING
from quarterdeck.media.debian.overlay import to_tar
from quarterdeck.media.debian.privilege import Privilege
from quarterdeck.media.debian.progress import Progress
from quarterdeck.media.debian.recipe import Recipe
from quarterdeck.media.debian.twins import LAY, REMOVE, can_lend, fetch_twins

_SECONDS = 3600.0
_PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
# The boot loader's entries are written by the guest's own kernel-install, as it will do for every later kernel.
# SYSTEMD_RELAX_ESP_CHECKS: there is no partition yet, only the folder (systemd's ENVIRONMENT.md).
_ADD_KERNEL = (
    'mkdir -p "$1"/boot/efi; for image in "$1"/boot/vmlinu[xz]-*; do version="${image##*/vmlinu?-}"; '
    f'chroot "$1" env {_PATH} SYSTEMD_RELAX_ESP_CHECKS=1 '
    'kernel-install add "$version" "/boot/${image##*/}" "/boot/initrd.img-$version" || exit 1; done; '
    # Where /boot/efi is no mount point yet, paths are written as seen from /.
    'sed -i "s, /boot/efi/, /," "$1"/boot/efi/loader/entries/*.conf'
)

# What only the installation needs does not stay in the guest; keys and seeds that packages made are each machine's own to make.
_CLEAN = (
    'cd "$1" && rm -f etc/apt/apt.conf.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/apt/sources.list '
    "etc/ssh/ssh_host_* var/lib/dbus/machine-id var/lib/systemd/random-seed var/lib/systemd/credential.secret"
)


def check_tools() -> None:
    """Make sure that everything a build needs is installed.

    Raises:
        HostError: something is missing; the hint is one command that installs all of it.
    """
    programs = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "sfdisk": "fdisk", "mformat": "mtools", "qemu-img": "qemu-utils"}
    missing = {program: package for program, package in programs.items() if find(program) is None}
    if not Path(KEYRING).exists():
        missing["Debian's signing keys"] = "debian-archive-keyring"
    if missing:
        raise HostError(
            "tools-missing",
            "a Debian guest cannot be made on this host",
            reason=f"missing: {', '.join(missing)}",
            hint=f"apt install {' '.join(sorted(set(missing.values())))}",
        )


def command(recipe: Recipe, privilege: Privilege, *, overlay: Path, target: Path, twins: Path | None = None) -> list[str]:
    """Return mmdebstrap's argument list; ``overlay`` is a tar laid down before packages are installed, ``twins`` likewise."""
    hooks = [f"--extract-hook=tar-in {_quote(overlay)} /"]
    if twins is not None:
        hooks += [f"--extract-hook=tar-in {_quote(twins)} /", f"--extract-hook={LAY}"]
    if recipe.uefi:
        hooks.append(f"--customize-hook={_ADD_KERNEL}")
    if twins is not None:
        hooks.append(f"--customize-hook={REMOVE}")
    hooks.append(f"--customize-hook={_CLEAN}")
    return [
        "mmdebstrap",
        "--verbose",
        f"--mode={privilege.mode}",
        "--variant=minbase",
        "--format=tar",
        f"--architectures={recipe.arch.debian}",
        f"--include={','.join(recipe.packages)}",
        *_apt_options(recipe),
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=force-confold",
        *hooks,
        recipe.suite,
        str(target),
        *source_lines(recipe),
    ]


def source_lines(recipe: Recipe) -> list[str]:
    """Return one-line sources, sources.list(5), whose signatures must be Debian's."""
    signed = f"deb [signed-by={KEYRING}]"
    lines = [f"{signed} {recipe.mirror.main} {recipe.suite} main"]
    if recipe.suite != "sid":
        lines.append(f"{signed} {recipe.mirror.main} {recipe.suite}-updates main")
        if recipe.mirror.security:
            lines.append(f"{signed} {recipe.mirror.security} {recipe.suite}-security main")
    return lines


async def install(recipe: Recipe, privilege: Privilege, *, folder: Path, report: Reporter) -> Path:
    """Install the guest into a tar inside ``folder`` and return it.

    Raises:
        MediaError: mmdebstrap failed; the reason holds its last errors.
    """
    overlay, target = folder / "overlay.tar", folder / "root.tar"
    overlay.write_bytes(to_tar(recipe.early))
    overlay.chmod(0o644)
    title = f"Debian {recipe.suite} for {recipe.arch.name}"
    twins = await _twins(recipe, privilege, folder, report)
    argv = command(recipe, privilege, overlay=overlay, target=target, twins=twins)
    progress = Progress(report, title)
    try:
        await run_async(argv, on_line=progress.line, timeout=_SECONDS, env={"TMPDIR": str(folder), "DEBIAN_FRONTEND": "noninteractive"})
    except ProcessError as error:
        raise _failed(recipe, error) from error
    return target


async def _twins(recipe: Recipe, privilege: Privilege, folder: Path, report: Reporter) -> Path | None:
    if not can_lend(host_arch(), recipe.arch):
        return None
    title = f"Debian {recipe.suite} for {recipe.arch.name}"
    report(Step("image", StepStatus.RUNNING, f"{title}: fetching native tools that speed it up"))
    options = [f"--mode={privilege.mode}", *_apt_options(recipe)]
    return await fetch_twins(host_arch(), suite=recipe.suite, sources=source_lines(recipe), options=options, work=folder)


def _apt_options(recipe: Recipe) -> list[str]:
    return [
        '--aptopt=APT::Install-Recommends "false";',
        '--aptopt=Acquire::Languages "none";',
        *(f"--aptopt={option}" for option in recipe.mirror.options),
    ]


def _quote(path: Path) -> str:
    """Quote a word of a special hook, which mmdebstrap splits like a shell."""
    return "'" + str(path).replace("'", "'\\''") + "'"


def _failed(recipe: Recipe, error: ProcessError) -> MediaError:
    lines = error.completed.stderr.decode(errors="replace").splitlines()
    errors = [line.strip() for line in lines if line.startswith(("E:", "Err:", "dpkg: error")) and "mmdebstrap" not in line]
    return MediaError(
        "debian-not-made",
        f"Debian {recipe.suite} for {recipe.arch.name} could not be installed",
        reason="\n".join(errors[:8]) or error.reason,
        hint="see the reason; a mirror in the middle of an update works again some minutes later",
    )
