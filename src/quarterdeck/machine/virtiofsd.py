"""The two programs called virtiofsd."""

from __future__ import annotations

LEGACY = "/usr/lib/qemu/virtiofsd"
"""The one in C that Debian's QEMU up to 7.2 brings; it must run as root. The Rust one that replaced it is ``/usr/libexec/virtiofsd``."""
