"""What is known of the system that an image holds."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.core.images import KernelBoot
from quarterdeck.provision.kind import Provisioning


@dataclass(frozen=True, kw_only=True)
class BootableSystem:
    """How a system boots, who sets it up, and what it needs.

    ``uefi`` and ``bios`` say whether it boots under them (None: unknown), ``kernel`` is there when it can also boot without firmware.
    ``provisioning`` says who sets it up at its first boot (None: it does not say), ``login`` is its usual user.
    ``least_memory`` and ``least_disk`` are in bytes (0: it does not say).
    """

    kernel: KernelBoot | None = None
    uefi: bool | None = None
    bios: bool | None = None
    provisioning: Provisioning | None = None
    login: str = ""
    least_memory: int = 0
    least_disk: int = 0
