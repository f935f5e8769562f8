"""Take another version of an engine: ``.venv/bin/python -m scripts.engines.update NAME VERSION``.

Engines cannot be built by ``go install``: their modules replace or exclude others, or have no go.mod at all. So each gets a module here
that repeats what the engine itself asks for and names its programs as tools; 'go mod tidy' then writes go.mod and go.sum.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.engines import place
from scripts.engines.build import say
from scripts.engines.table import Engine, engine
from scripts.engines.workshop import Workshop

from quarterdeck.core.fs import locked
from quarterdeck.core.process import run
from quarterdeck.errors import QuarterdeckError

GO_SECONDS = 900.0


class Update:
    """One engine on its way to another version."""

    def __init__(self, engine: Engine, version: str, workshop: Workshop) -> None:
        self.engine = engine
        self.version = version
        self.workshop = workshop

    def write(self) -> None:
        """Write go.mod and go.sum anew.

        Raises:
            QuarterdeckError: there is no such version, or Go cannot make a module of it.
        """
        folder = self.engine.folder
        manifest = self._manifest()
        folder.mkdir(exist_ok=True)
        (folder / "go.mod").write_text("\n".join(self._lines(manifest)) + "\n", encoding="utf-8")
        (folder / "go.sum").unlink(missing_ok=True)
        self._go("mod", "tidy", folder=folder)

    def _manifest(self) -> dict[str, Any]:
        """What the engine's own module asks for; format: 'go help mod edit'."""
        module = json.loads(self._go("mod", "download", "-json", f"{self.engine.module}@{self.version}", folder=self.workshop.folder))
        file = Path(module["Dir"], self.engine.manifest)
        manifest: dict[str, Any] = json.loads(self._go("mod", "edit", "-json", file, folder=self.workshop.folder))
        return manifest

    def _lines(self, manifest: dict[str, Any]) -> Iterator[str]:
        yield f"module quarterdeck.test/engines/{self.engine.name}"
        yield f"go {manifest['Go']}"
        # One block: tidying sorts the lines inside a block only.
        asked = [f"{self.engine.module} {self.version}", *map(_words, manifest.get("Require") or ())]
        yield _block("require", asked)
        yield _block("replace", [f"{_words(row['Old'])} => {_words(row['New'])}" for row in manifest.get("Replace") or ()])
        yield _block("exclude", list(map(_words, manifest.get("Exclude") or ())))
        yield _block("tool", list(map(self.engine.package, self.engine.programs)))

    def _go(self, *words: str | Path, folder: Path) -> str:
        # Tidying writes go.mod, which building must not.
        return run([self.workshop.go, *words], env={**self.workshop.env, "GOFLAGS": "-modcacherw"}, cwd=folder, timeout=GO_SECONDS).text


def _words(row: dict[str, str]) -> str:
    """Return a module and its version, which a replacement may lack."""
    return f"{row['Path']} {row.get('Version', '')}".rstrip()


def _block(keyword: str, lines: list[str]) -> str:
    return "\n".join((f"{keyword} (", *lines, ")")) if lines else ""


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.engines.update", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="engine of engines.toml")
    parser.add_argument("version", metavar="VERSION", help="version of its module, such as v1.2.3 or v1.2.3+incompatible")
    words = parser.parse_args()
    workshop = Workshop(place.home() / place.WORKSHOP)
    try:
        update = Update(engine(words.name), words.version, workshop)
        with locked(place.home() / "lock"):
            workshop.install_go()
            update.write()
            shutil.rmtree(workshop.folder)
        say(f"{words.name} is at {update.engine.version}; 'make test-engines' builds and tries it")
    except QuarterdeckError as error:
        for line in filter(None, (error.message, error.reason, error.hint)):
            say(line)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
