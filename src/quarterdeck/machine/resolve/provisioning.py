"""Decides how the guest is set up at its first boot."""

from __future__ import annotations

from quarterdeck.errors import UsageError
from quarterdeck.machine.resolve.context import Context
from quarterdeck.machine.spec import ProvisionSpec
from quarterdeck.provision.kind import Provisioning


def needs_seed(ctx: Context) -> bool:
    """Whether a NoCloud seed is attached.

    Raises:
        UsageError: the spec has ``provision`` and the image is known to take none.
    """
    asked = ctx.spec.provision != ProvisionSpec()
    match ctx.assets.provisioning:
        case Provisioning.CLOUD_INIT:
            ctx.note("seed", "yes", "the image sets itself up from a NoCloud seed at its first boot")
            return True
        case Provisioning.NONE if asked:
            raise UsageError(
                "cannot-provision",
                "this image cannot be set up at its first boot, and the spec has 'provision'",
                reason="it is an installer or a live system",
                hint="leave out 'provision' and its flags, or boot the system's cloud image: qd catalogue ls --kind cloud",
            )
        case None if asked:
            ctx.note("seed", "yes", "the spec has 'provision'; it takes effect if the image reads NoCloud seeds, as cloud images do")
            return True
    return False


def needs_ignition(ctx: Context) -> bool:
    """Whether the guest is given an Ignition config."""
    if ctx.assets.provisioning is not Provisioning.IGNITION:
        return False
    ctx.note("ignition", "yes", "the image sets itself up from an Ignition config at its first boot")
    return True
