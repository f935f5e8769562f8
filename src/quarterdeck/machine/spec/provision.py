"""What the first boot sets up inside the guest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from quarterdeck.machine.fields import STRICT, HostName, LongText, Text, UserName


@dataclass(frozen=True, kw_only=True)
class FileSpec:
    """A file that the first boot writes into the guest."""

    __pydantic_config__: ClassVar[Any] = STRICT

    path: Annotated[str, Field(strict=True, pattern=r"^/[^\x00\n]*$", max_length=4096)]
    content: LongText
    owner: Annotated[str, Field(strict=True, pattern=r"^[a-z_][a-z0-9_-]*(:[a-z_][a-z0-9_-]*)?$")] = "root:root"
    mode: Annotated[str, Field(strict=True, pattern=r"^0[0-7]{3,4}$")] = "0644"


@dataclass(frozen=True, kw_only=True)
class ProvisionSpec:
    """What the first boot sets up inside the guest. Needs an image with cloud-init or Ignition, such as Quarterdeck's own."""

    __pydantic_config__: ClassVar[Any] = STRICT

    user: UserName | None = None
    """The login that is made, with sudo. Default: the image's own name for it, ``debian`` for Debian."""
    password: Annotated[str, Field(strict=True, min_length=1, max_length=256)] | None = None
    """Default: a generated one, shown when the machine runs, unless ``ssh_keys`` are given."""
    ssh_keys: tuple[Text, ...] = ()
    """Public keys, or paths of files that hold them."""
    hostname: HostName | None = None
    """Default: the machine's name."""
    packages: tuple[Text, ...] = ()
    files: tuple[FileSpec, ...] = ()
    commands: tuple[Text | tuple[Text, ...], ...] = ()
    """Run once as root at the end of the first boot: a line for the guest's shell, or a list of arguments."""
    user_data: LongText | None = None
    """Your own user-data, as text or the path of a file. cloud-config is merged with what the fields above say: mappings are merged,
    lists joined, and other values replace. Everything else that cloud-init reads, such as a script, goes beside it. For an image with
    Ignition it is an Ignition config, which Ignition merges."""
    vendor_data: LongText | None = None
    """cloud-init's vendor-data, as text or the path of a file."""
    network_config: LongText | None = None
    """cloud-init's network-config, as text or the path of a file. Default: DHCP on all cards."""
