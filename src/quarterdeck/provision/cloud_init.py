"""NoCloud seeds as text: what the first boot of a guest sets up, in the language of cloud-init.

The three files of a seed are described at https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html,
the keys in them at https://docs.cloud-init.io/en/latest/reference/modules.html. All keys used here are read by
cloud-init 22.4 (Debian 12) and newer.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from quarterdeck.errors import UsageError
from quarterdeck.provision.ssh_key import parse_public_key
from quarterdeck.provision.user_data import is_cloud_config, merge, multipart

_HEADER = "#cloud-config\n"
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:=~/-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class FirstBootFile:
    """A file that the first boot writes; ``mode`` is octal text such as ``0644``, ``owner`` is ``USER:GROUP`` or ``USER``."""

    path: str
    content: str
    owner: str = "root:root"
    mode: str = "0644"


@dataclass(frozen=True, kw_only=True)
class FirstBoot:
    """What the first boot sets up.

    ``password`` is None for a login by key only. A command is a line for the guest's shell or a tuple of
    arguments. ``instance_id`` decides what a first boot is: cloud-init acts again when it changes.
    ``macs`` are the network cards to bring up with DHCP; empty leaves the choice to the image. ``user_data``, ``vendor_data`` and
    ``network_config`` are texts of the user's own (empty: none): the first is joined with ours, the last is taken instead of ours.
    """

    hostname: str
    user: str
    instance_id: str
    password: str | None = None
    ssh_keys: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    files: tuple[FirstBootFile, ...] = ()
    commands: tuple[str | tuple[str, ...], ...] = ()
    macs: tuple[str, ...] = ()
    user_data: str = ""
    vendor_data: str = ""
    network_config: str = ""


def user_data(boot: FirstBoot) -> str:
    """Return the text of ``user-data``; holds the password in clear, so whoever stores it keeps it private.

    Raises:
        UsageError: a key, password or package name that cannot work, or user-data of the user's own that makes no sense.
    """
    config = _config(boot)
    own = boot.user_data
    if not own:
        return _HEADER + to_yaml(config)
    if is_cloud_config(own):
        return _HEADER + to_yaml(merge(config, own))
    return multipart(_HEADER + to_yaml(config), own)


def _config(boot: FirstBoot) -> dict[str, Any]:
    config: dict[str, Any] = {
        "hostname": boot.hostname.partition(".")[0],
        "manage_etc_hosts": "localhost",
        "disable_root": boot.user != "root",
        "ssh_pwauth": boot.password is not None,
        "users": [_user(boot)],
        **_fqdn(boot),
        **_password(boot),
        **_packages(boot),
    }
    if boot.files:
        config["write_files"] = [_file(file) for file in boot.files]
    if boot.commands:
        config["runcmd"] = [command if isinstance(command, str) else list(command) for command in boot.commands]
    return config


def meta_data(boot: FirstBoot) -> str:
    """Return the text of ``meta-data``."""
    return to_yaml({"instance-id": boot.instance_id, "local-hostname": boot.hostname})


def network_config(boot: FirstBoot) -> str:
    """Return the text of ``network-config`` (version 2), or an empty text when the image is to decide."""
    if boot.network_config or not boot.macs:
        return boot.network_config
    cards = {
        f"net{index}": {"match": {"macaddress": mac.lower()}, "dhcp4": True, "optional": index > 0} for index, mac in enumerate(boot.macs)
    }
    return to_yaml({"version": 2, "ethernets": cards})


def to_yaml(value: dict[str, Any]) -> str:
    """Return ``value`` as YAML that a YAML 1.1 reader understands alike: every text is quoted.

    cloud-init reads with PyYAML, to which a bare ``no`` is false and ``12:34`` a number.
    """
    yaml = YAML()
    yaml.width = 1 << 20
    yaml.default_flow_style = False
    stream = io.StringIO()
    yaml.dump(_quoted(value), stream)
    return stream.getvalue()


def _quoted(value: Any) -> Any:
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return value


def _user(boot: FirstBoot) -> dict[str, Any]:
    # A password is set later, by chpasswd below, which also unlocks it.
    user: dict[str, Any] = {"name": boot.user, "lock_passwd": True}
    if boot.user != "root":
        user |= {"shell": "/bin/bash", "groups": ["adm", "sudo"], "sudo": "ALL=(ALL) NOPASSWD:ALL"}
    if boot.ssh_keys:
        user["ssh_authorized_keys"] = [parse_public_key(key) for key in boot.ssh_keys]
    return user


def _fqdn(boot: FirstBoot) -> dict[str, Any]:
    return {"fqdn": boot.hostname} if "." in boot.hostname else {}


def _password(boot: FirstBoot) -> dict[str, Any]:
    """Python 3.13 has no crypt module, so the guest hashes the password itself."""
    if boot.password is None:
        return {}
    if not boot.password or _CONTROL.search(boot.password):
        raise UsageError(
            "invalid-password",
            "the password cannot be set in the guest",
            reason="it is empty or has a line break or another control character in it",
            hint="choose one that can be typed",
        )
    return {"chpasswd": {"expire": False, "users": [{"name": boot.user, "password": boot.password, "type": "text"}]}}


def _packages(boot: FirstBoot) -> dict[str, Any]:
    for name in boot.packages:
        if not _PACKAGE.fullmatch(name):
            raise UsageError(
                "invalid-package",
                f"'{name}' is not the name of a package",
                hint="letters, digits and + . _ : = ~ / - are allowed, the first a letter or digit",
            )
    return {"package_update": True, "packages": list(boot.packages)} if boot.packages else {}


def _file(file: FirstBootFile) -> dict[str, Any]:
    """Files of users that do not exist yet are written at the end; early ones may matter to services that start soon."""
    entry: dict[str, Any] = {"path": file.path, "content": file.content, "owner": file.owner, "permissions": file.mode}
    if file.owner.partition(":")[0] != "root":
        entry["defer"] = True
    return entry
