"""Who sets up a guest at its first boot."""

from __future__ import annotations

from enum import StrEnum


class Provisioning(StrEnum):
    """Who reads what a machine's spec says about its first boot."""

    NONE = "none"
    CLOUD_INIT = "cloud-init"
    """cloud-init or the like, from a NoCloud seed."""
    IGNITION = "ignition"
