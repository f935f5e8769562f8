"""The variables and folders of a container, turned into a machine. Pure."""

from quarterdeck.machine.environment.found import FileKind, Found, FoundFile
from quarterdeck.machine.environment.read import read_environment
from quarterdeck.machine.environment.wish import ContainerOptions, ContainerWish, DiskFile, Note, OnPoweroff, ViewerSecrets

__all__ = [
    "ContainerOptions",
    "ContainerWish",
    "DiskFile",
    "FileKind",
    "Found",
    "FoundFile",
    "Note",
    "OnPoweroff",
    "ViewerSecrets",
    "read_environment",
]
