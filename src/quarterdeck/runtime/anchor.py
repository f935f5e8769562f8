"""Fix a spec to where the user stood: relative paths become absolute, key files become keys."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from quarterdeck.core.url import is_url, local_path
from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import MachineSpec, ProvisionSpec, ViewerSpec
from quarterdeck.media.catalogue.catalogue import load_catalogue

_KEY_WORDS = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")
_LONGEST_KEY_FILE = 64 * 1024
_LONGEST_TEXT = 1 << 20


def anchor(spec: MachineSpec, folder: Path) -> MachineSpec:
    """Return ``spec`` with its paths made absolute from ``folder`` and its SSH keys as text.

    The machine is started later from another folder, by a process that may see other files.

    Raises:
        UsageError: a key file cannot be read or holds no public key.
    """
    return replace(
        spec,
        boot=_boot(spec.boot, folder),
        fetch=replace(spec.fetch, catalogue=tuple(word if is_url(word) else _absolute(word, folder) for word in spec.fetch.catalogue)),
        disks=tuple(replace(disk, image=_path(disk.image, folder)) for disk in spec.disks),
        cdroms=tuple(replace(drive, image=_path(drive.image, folder)) for drive in spec.cdroms),
        shares=tuple(replace(share, path=_absolute(share.path, folder)) for share in spec.shares),
        firmware_image=_path(spec.firmware_image, folder),
        firmware_variables=_path(spec.firmware_variables, folder),
        tpm_state=_path(spec.tpm_state, folder),
        provision=_provision(spec.provision, folder),
        display=replace(spec.display, spice_tls=_path(spec.display.spice_tls, folder)),
        viewer=_viewer(spec.viewer, folder),
    )


def _viewer(spec: ViewerSpec, folder: Path) -> ViewerSpec:
    return replace(
        spec,
        tls_certificate=_path(spec.tls_certificate, folder),
        tls_key=_path(spec.tls_key, folder),
        password_file=_path(spec.password_file, folder),
        token_file=_path(spec.token_file, folder),
        view_token_file=_path(spec.view_token_file, folder),
    )


def _provision(spec: ProvisionSpec, folder: Path) -> ProvisionSpec:
    return replace(
        spec,
        ssh_keys=_keys(spec.ssh_keys, folder),
        user_data=_text(spec.user_data, "user_data", folder),
        vendor_data=_text(spec.vendor_data, "vendor_data", folder),
        network_config=_text(spec.network_config, "network_config", folder),
    )


def _text(given: str | None, field: str, folder: Path) -> str | None:
    """What has one line and does not say what it is, as all that cloud-init and Ignition read does, is the path of a file."""
    if not given or "\n" in given.strip() or given.startswith(("#", "{")):
        return given
    path = Path(_absolute(given.strip(), folder))
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_TEXT + 1)
        text = content.decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError("file-unreadable", f"{path}, named by '{field}', cannot be read", reason=reason or str(error)) from None
    if len(content) > _LONGEST_TEXT:
        raise UsageError("file-too-large", f"{path}, named by '{field}', is larger than 1 MiB")
    return text


def _absolute(path: str, folder: Path) -> str:
    return os.path.normpath(folder / Path(local_path(path)).expanduser())


def _path(path: str | None, folder: Path) -> str | None:
    return None if path is None else _absolute(path, folder)


def _boot(boot: str | None, folder: Path) -> str | None:
    """A word without a slash names a file only when there is one and the catalogue has no such name."""
    if boot is None or is_url(boot):
        return boot
    boot = local_path(boot)
    is_file = "/" in boot or boot.startswith("~") or ((folder / boot).exists() and not _is_name(boot))
    return _absolute(boot, folder) if is_file else boot


def _is_name(boot: str) -> bool:
    return load_catalogue().get(boot.partition(":")[0]) is not None


def _keys(keys: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    return tuple(text for key in keys for text in _key_texts(key, folder))


def _key_texts(key: str, folder: Path) -> list[str]:
    if key.startswith(_KEY_WORDS):
        return [key.strip()]
    path = Path(_absolute(key, folder))
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY_FILE).decode(errors="replace")
    except OSError as error:
        raise UsageError("ssh-key-unreadable", f"the SSH key {path} cannot be read", reason=error.strerror or "") from None
    found = [line.strip() for line in content.splitlines() if line.startswith(_KEY_WORDS)]
    if not found:
        private = "PRIVATE KEY" in content
        hint = f"give the public half: {path}.pub" if private else "a public key line starts with ssh-ed25519 or the like"
        raise UsageError("ssh-key-invalid", f"{path} holds no public SSH key", hint=hint)
    return found
