"""OCI platforms: ``linux/arm64``, ``linux/arm/v7``, ``linux/amd64/v3``.

Sources: image-index.md of the OCI image specification 1.1 (os, architecture, variant: GOOS, GOARCH, GOARM); containerd's platforms
package, whose normal forms and defaults these are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from quarterdeck.core.arch import Arch, find_arch, host_arch
from quarterdeck.errors import UsageError

_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_SAME = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "armhf": "arm", "armel": "arm"}
_VARIANT_OF_NAME = {"armhf": "v7", "armel": "v6"}
# What containerd drops or fills in, so that one platform has one spelling.
_DROPPED = {("arm64", "v8"), ("arm64", "8"), ("amd64", "v1")}
_DEFAULT = {"arm": "v7"}


@dataclass(frozen=True, order=True)
class Platform:
    """One platform in its normal form; ``variant`` is empty where the architecture has none or it is the default one."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the platform that ``os/arch[/variant]`` or ``arch`` alone (of Linux) means.

        Raises:
            UsageError: it is none.
        """
        parts = text.strip().split("/")
        if not all(_PART.fullmatch(part) for part in parts) or len(parts) > 3:
            raise UsageError("invalid-platform", f"'{text}' is no platform", hint="platforms are written like linux/arm64 or linux/arm/v7")
        if len(parts) == 1:
            parts = (
                ["linux", *parts] if parts[0].lower() not in ("linux", "windows", "darwin") else [parts[0], host_arch().oci.split("/")[1]]
            )
        return cls.normal(*parts)

    @classmethod
    def normal(cls, os: str, architecture: str, variant: str = "") -> Self:
        """Return the platform of these three words in its normal form."""
        os, architecture, variant = os.lower(), architecture.lower(), variant.lower()
        variant = variant or _VARIANT_OF_NAME.get(architecture, "")
        architecture = _SAME.get(architecture, architecture)
        if variant and variant[0].isdigit():
            variant = f"v{variant}"
        if (architecture, variant) in _DROPPED:
            variant = ""
        return cls(os, architecture, variant or _DEFAULT.get(architecture, ""))

    @classmethod
    def of_host(cls) -> Self:
        """Return the platform of the host's kernel."""
        return cls.parse(host_arch().oci)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def tag(self) -> str:
        """The platform as part of a tag or file name: ``linux-arm-v7``."""
        return str(self).replace("/", "-")

    @property
    def arch(self) -> Arch | None:
        """The architecture in our table, None for those and for systems that QEMU has nothing for."""
        if self.os != "linux":
            return None
        for name in (str(self), f"{self.os}/{self.architecture}", self.architecture):
            try:
                return find_arch(name)
            except UsageError:
                continue
        return None


def parse_platforms(values: list[str]) -> tuple[Platform, ...]:
    """Return the platforms of ``--platform`` options, each of which may hold several with commas, each once in the order given.

    Raises:
        UsageError: one is none, or there is none at all.
    """
    words = [word for value in values for word in value.split(",") if word.strip()]
    if not words:
        raise UsageError("no-platform", "no platform is named", hint="name some, such as --platform linux/amd64,linux/arm64")
    return tuple(dict.fromkeys(Platform.parse(word) for word in words))
