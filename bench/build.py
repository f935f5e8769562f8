"""What ``qd build`` costs beside the engine called by hand, for one platform and for two, and how long a plan takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tests.engines.base import base_image
from tests.engines.podman import Storage, storage

from bench.figures import Figure, in_turns, median, seconds, spread
from bench.machines import QD, Home, empty_home
from quarterdeck.build.platform import Platform
from quarterdeck.core import process
from quarterdeck.core.arch import host_arch

_WORK = "RUN for i in 1 2 3 4 5 6 7 8; do find /usr -type f | xargs -n 200 cat | md5sum; done\n"
_STAGE = """FROM debian AS stage{0}
ARG TARGETARCH
ENV NUMBER={0}
RUN make -j2 target{0} && \\
    make install
COPY --from=stage{1} /out /in
"""


def measure(runs: int) -> Iterator[Figure]:
    """Yield the figures, from ``runs`` samples each; the first run makes a Debian for each platform."""
    host = Platform.of_host()
    other = Platform.parse("linux/amd64" if host_arch().name == "aarch64" else "linux/arm64")
    with empty_home() as home, storage(home.root / "engine") as engine:
        yield _plan(runs, home)
        names = {}
        for platform in (host, other):
            assert platform.arch is not None
            image = base_image(platform.arch.name)
            engine.load(image.archive)
            names[platform] = image.name
        bench = _Bench(home, engine, names)
        yield bench.against_one(runs, host)
        yield bench.against_turns(runs, (host, other))


class _Bench:
    def __init__(self, home: Home, engine: Storage, names: dict[Platform, str]) -> None:
        self.folder = home.root / "context"
        self.folder.mkdir()
        self.environment = {**engine.env, **home.environment, "DOCKER_HOST": "unix:///nowhere", "TMPDIR": str(home.root)}
        stages = "".join(f"FROM {name} AS base-{platform.architecture}\n" for platform, name in names.items())
        (self.folder / "Dockerfile").write_text(f"ARG TARGETARCH\n{stages}FROM base-${{TARGETARCH}}\n{_WORK}")

    def against_one(self, runs: int, platform: Platform) -> Figure:
        """One platform: the overhead of planning, merging and looking at every program."""
        ours, plain = in_turns(runs, lambda: self._ours([platform]), lambda: self._plain([platform]))
        ratio = median(ours) / median(plain)
        return Figure(
            "qd build, 1 platform", median(ours), "s", "buildah by hand", median(plain), "at most 1.03 x", ratio <= 1.03, spread(ours)
        )

    def against_turns(self, runs: int, platforms: Sequence[Platform]) -> Figure:
        """Two platforms side by side, against the same engine building them in turn."""
        ours, plain = in_turns(runs, lambda: self._ours(platforms), lambda: self._plain(platforms))
        faster = median(ours) < median(plain)
        return Figure("qd build, 2 platforms", median(ours), "s", "buildah in turn", median(plain), "below 1.0 x", faster, spread(ours))

    def _ours(self, platforms: Sequence[Platform]) -> float:
        names = ",".join(map(str, platforms))
        words = [
            QD,
            "build",
            "--engine",
            "buildah",
            "--no-cache",
            "-q",
            "--platform",
            names,
            "-o",
            str(self.folder.parent / "ours.tar"),
            ".",
        ]
        return seconds(lambda: process.run(words, env=self.environment, cwd=self.folder))

    def _plain(self, platforms: Sequence[Platform]) -> float:
        def in_turn() -> None:
            for platform in platforms:
                self._by_hand(platform)

        return seconds(in_turn)

    def _by_hand(self, platform: Platform) -> None:
        image = f"localhost/by-hand:{platform.tag}"
        build = ["buildah", "build", "--no-cache", "--layers=false", "--pull=false", f"--platform={platform}", "-t", image, "."]
        process.run(build, env=self.environment, cwd=self.folder)
        process.run(
            ["buildah", "push", "-q", "--format=oci", image, f"oci-archive:{self.folder.parent}/{platform.tag}.tar"], env=self.environment
        )
        process.run(["buildah", "rmi", image], env=self.environment)


def _plan(runs: int, home: Home) -> Figure:
    """A Dockerfile of 500 lines, against a Python that does nothing but import what the command line needs."""
    file = home.root / "Dockerfile"
    file.write_text("FROM debian AS stage0\nRUN true\n" + "".join(_STAGE.format(number, number - 1) for number in range(1, 84)))
    words = [QD, "plan", "--json", "--platform", "linux/amd64,linux/arm64", "-f", str(file), str(home.root)]
    plan, idle = in_turns(
        runs,
        lambda: seconds(lambda: process.run(words, env=home.environment)),
        lambda: seconds(lambda: process.run([sys.executable, "-c", "import typer, rich.console, pydantic, asyncio"])),
    )
    value = median(plan)
    return Figure("qd plan, 500 lines", value, "s", "imports alone", median(idle), "below 2 s", value < 2, spread(plan))
