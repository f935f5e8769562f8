"""The images of this checkout: what their build contexts hold and what can be chosen. A part of scripts/build_image.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from scripts import image_wheels

from quarterdeck.core.arch import ARCHES, Arch

IMAGES = Path(__file__).parents[1] / "images"
# What 'qd binfmt' imports, all of it Python alone, in the versions that are installed here.
_BINFMT = ("annotated-doc", "markdown-it-py", "mdurl", "platformdirs", "pygments", "rich", "shellingham")
# The last typer that needs no pydantic, which is a third of all this and is not made for every architecture.
_BINFMT_PINS = ("click==8.5.1", "typer==0.25.1")


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for: architecture of the image, CPython of its base, and emulators, empty for the Containerfile's."""

    arch: Arch
    python: str
    emulators: str


@dataclass(frozen=True)
class Kind:
    """One image.

    ``files`` of its folder go into the context as they are, ``parts`` are what to call its layers, ``choice`` is the build argument
    that says which emulators are in it, and ``fill`` puts the rest into the context. One that ``crosses`` is built for any
    architecture on a base of the host's own.
    """

    name: str
    parts: tuple[str, ...]
    files: tuple[str, ...]
    choice: str
    fill: Callable[[Path, Wishes], None]
    crosses: bool = False

    @property
    def tag(self) -> str:
        """The image's name unless another is wished for."""
        return f"quarterdeck/{self.name}:latest"

    @property
    def sources(self) -> Path:
        """The folder with its Containerfile."""
        return IMAGES / self.name


def _fill_binfmt(context: Path, _: Wishes) -> None:
    wheels = context / "wheels"
    image_wheels.download_pure(wheels, [*_BINFMT_PINS, *(f"{name}=={version(name)}" for name in _BINFMT)])
    image_wheels.build_own(wheels)


def _fill_machine(context: Path, wishes: Wishes) -> None:
    files = sorted({path for arch in ARCHES for firmware in arch.firmware for path in (firmware.code, firmware.variables) if path})
    (context / "firmware-files").write_text("".join(f"{path}\n" for path in files), encoding="utf-8")
    wheels = context / "wheels"
    image_wheels.download_for(wheels, wishes.arch, wishes.python)
    image_wheels.build_own(wheels)


_MACHINE_PARTS = ("Debian", "settings of apt", "installer", "Python", "helpers", "QEMU", "firmware", "Quarterdeck")
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "binfmt", ("emulators", "Python and the C library", "Quarterdeck"), ("assemble", "qd"), "EMULATORS", _fill_binfmt, crosses=True
        ),
        Kind("machine", _MACHINE_PARTS, ("part",), "ARCHES", _fill_machine),
    )
}
