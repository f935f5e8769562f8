"""Ignition configs as text: what the first boot of a CoreOS-type image sets up.

Specification 3.3.0, https://coreos.github.io/ignition/configuration-v3_3/, which Fedora CoreOS, RHEL CoreOS and Flatcar of today read.
"""

from __future__ import annotations

import base64
import json
import shlex
from typing import Any

from quarterdeck.errors import UsageError
from quarterdeck.provision.cloud_init import FirstBoot, FirstBootFile
from quarterdeck.provision.ssh_key import parse_public_key

_VERSION = "3.3.0"
_VERSION_WITH_SETUID = "3.4.0"
"""Since this one, files may have the set-uid, set-gid and sticky bits; earlier ones leave them out."""
_ADMINS = ("wheel", "sudo")
"""Groups that may use sudo without a password on Fedora CoreOS and Flatcar; both have both."""
_SCRIPT = "/etc/quarterdeck/first-boot"
_DONE = "/var/lib/quarterdeck-first-boot"
_UNIT = f"""\
[Unit]
Description=Commands of the first boot
ConditionPathExists=!{_DONE}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {_SCRIPT}
ExecStart=/bin/touch {_DONE}

[Install]
WantedBy=multi-user.target
"""


def ignition_config(boot: FirstBoot, *, password_hash: str | None) -> str:
    """Return the config of ``boot`` as JSON; ``password_hash`` as in crypt(5), None for a login by key only.

    Raises:
        UsageError: a key that cannot work, or something that only cloud-init can do.
    """
    _check(boot)
    files = [FirstBootFile(path="/etc/hostname", content=f"{boot.hostname}\n"), *boot.files]
    if boot.commands:
        files.append(FirstBootFile(path=_SCRIPT, content=_script(boot), mode="0700"))
    config: dict[str, Any] = {
        "ignition": {"version": _version(files), **_merged(boot)},
        "passwd": {"users": [_user(boot, password_hash)]},
        "storage": {"files": [_file(file) for file in files]},
    }
    if boot.commands:
        config["systemd"] = {"units": [{"name": "quarterdeck-first-boot.service", "enabled": True, "contents": _UNIT}]}
    return json.dumps(config)


def _version(files: list[FirstBootFile]) -> str:
    return _VERSION_WITH_SETUID if any(int(file.mode, 8) > 0o777 for file in files) else _VERSION


def _check(boot: FirstBoot) -> None:
    if boot.packages:
        raise UsageError(
            "no-packages",
            "this image cannot install packages at its first boot",
            reason="it is set up by Ignition, which knows none",
            hint="leave 'packages' out; run such programs in containers, or install them by 'commands'",
        )
    if boot.network_config or boot.vendor_data:
        raise UsageError(
            "only-cloud-init",
            "'network_config' and 'vendor_data' are for images with cloud-init",
            reason="this image is set up by Ignition",
            hint="write the network's files with 'files', for NetworkManager or systemd-networkd",
        )


def _merged(boot: FirstBoot) -> dict[str, Any]:
    """Let Ignition itself merge the user's own config over ours."""
    if not boot.user_data:
        return {}
    try:
        own = json.loads(boot.user_data)
        version = own["ignition"]["version"]
    except (ValueError, KeyError, TypeError):
        version = None
    if not isinstance(version, str):
        raise UsageError(
            "invalid-ignition",
            "'user_data' is no Ignition config",
            reason="this image is set up by Ignition, whose configs are JSON with ignition.version",
            hint="translate Butane's YAML with butane(1) first",
        )
    return {"config": {"merge": [{"source": _data_url(boot.user_data)}]}}


def _user(boot: FirstBoot, password_hash: str | None) -> dict[str, Any]:
    user: dict[str, Any] = {"name": boot.user}
    if boot.user != "root":
        user["groups"] = list(_ADMINS)
    if password_hash:
        user["passwordHash"] = password_hash
    if boot.ssh_keys:
        user["sshAuthorizedKeys"] = [parse_public_key(key) for key in boot.ssh_keys]
    return user


def _file(file: FirstBootFile) -> dict[str, Any]:
    user, _, group = file.owner.partition(":")
    return {
        "path": file.path,
        "overwrite": True,
        "mode": int(file.mode, 8),
        "user": {"name": user},
        "group": {"name": group or user},
        "contents": {"source": _data_url(file.content)},
    }


def _script(boot: FirstBoot) -> str:
    lines = (command if isinstance(command, str) else shlex.join(command) for command in boot.commands)
    return "".join(f"{line}\n" for line in lines)


def _data_url(text: str) -> str:
    return f"data:;base64,{base64.b64encode(text.encode()).decode()}"
