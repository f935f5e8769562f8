"""Disk files: looked at with suspicion, made atomically, never changed unless that was asked for."""

from quarterdeck.media.disk.image import DiskInfo, create_blank, create_overlay, disk_full, grow, info, read_head

__all__ = ["DiskInfo", "create_blank", "create_overlay", "disk_full", "grow", "info", "read_head"]
