"""Full disks, which engines tell of in many words, beside their builds too: where they export an image, for one."""

from __future__ import annotations

import re
import tempfile

from quarterdeck.build.platform import Platform
from quarterdeck.core.process import ProcessError
from quarterdeck.errors import HostError, QuarterdeckError

# The last is what Go says when whoever unpacks a layer has ended, most often for want of room.
_FULL = re.compile(r"no space left on device|disk quota exceeded|io: read/write on closed pipe", re.IGNORECASE)


def explained(error: QuarterdeckError, platform: Platform) -> QuarterdeckError:
    """Return the error, or what it means when a program of an engine ended for want of room."""
    if not isinstance(error, ProcessError) or not _FULL.search(error.reason):
        return error
    return HostError(
        "disk-full",
        f"there is no room for the build for {platform}",
        reason=error.reason,
        hint=f"make room in {tempfile.gettempdir()} and where the engine keeps its images, or set TMPDIR to a folder with more",
    )
