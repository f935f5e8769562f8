"""Where things live on this host.

``QUARTERDECK_HOME`` moves everything; else root uses ``/var/lib/quarterdeck`` and other users
``$XDG_DATA_HOME/quarterdeck``. Base images are data, not cache: machines stand on them.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the folder of all machines and images of this user."""
    override = os.environ.get("QUARTERDECK_HOME")
    if override:
        return Path(override).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/quarterdeck")
    return platformdirs.user_data_path("quarterdeck")


def machines() -> Path:
    """Return the folder that holds one folder for each machine."""
    return home() / "machines"


def images() -> Path:
    """Return the folder of base images, shared read-only by all machines."""
    return home() / "images"


def cache() -> Path:
    """Return the folder of what can be made again at any time, such as the result of a KVM proof."""
    return home() / "cache"


def emulators() -> Path:
    """Return the folder of our own copies of user-mode emulators, which the kernel starts."""
    return home() / "binfmt"
