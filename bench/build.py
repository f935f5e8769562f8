"""What ``qd build`` costs beside the engine called by hand, for one platform and for two, and how long a plan takes.

Each build begins without a cache and ends with an OCI archive. The fixed cost is that of a build which does next to nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.engines.base import base_image
from tests.engines.newest import buildkit, missing
from tests.engines.podman import storage

from bench import compiling
from bench.figures import Figure, in_turns, median, processor_seconds, seconds, spread
from bench.machines import QD, Home, empty_home
from quarterdeck.build.platform import Platform
from quarterdeck.core import process
from quarterdeck.core.arch import host_arch

_NATIVE = 240
"""Files that are compiled for this host, which takes half a minute."""
_EMULATED = 8
"""Files that are compiled for each platform where one is emulated, which takes a quarter of a minute."""
_Meter = Callable[[Callable[[], object]], float]
_NOTHING = "FROM {}\nRUN true\n"
_STAGE = """FROM debian AS stage{0}
ARG TARGETARCH
ENV NUMBER={0}
RUN make -j2 target{0} && \\
    make install
COPY --from=stage{1} /out /in
"""
# Prints the most memory that one process of a command took. Source of the unit, KiB: getrusage(2).
_LARGEST = (
    "import os, resource, sys\n"
    "status = os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:])\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
    "sys.exit(status)\n"
)


def measure(runs: int) -> Iterator[Figure]:
    """Yield the figures, from ``runs`` samples each; the first run makes a Debian with a compiler for each platform, in some minutes."""
    host = Platform.of_host()
    both = (host, Platform.parse("linux/amd64" if host_arch().name == "aarch64" else "linux/arm64"))
    with empty_home() as home:
        yield _plan(runs, home)
        yield from _against_buildah(runs, home, both)
        yield from _against_buildkit(runs, home, both)


@dataclass(frozen=True)
class _Context:
    """A folder to build, where the archives go beside it, and the environment in which programs find engines and images."""

    folder: Path
    environment: Mapping[str, str]
    contexts: tuple[str, ...] = ()
    count: int = 1

    def compiling(self, count: int) -> _Context:
        """Return the same, with so many files to compile."""
        return replace(self, count=count)

    @property
    def options(self) -> tuple[str, ...]:
        return (*self.contexts, f"--build-arg=COUNT={self.count}")

    def run(self, *words: str) -> None:
        process.run([*words, *self.options, str(self.folder)], env=self.environment)

    def archive(self, name: str) -> Path:
        return self.folder.parent / f"{name}.tar"

    def qd(self, platforms: Sequence[Platform], *words: str) -> list[str]:
        names = ",".join(map(str, platforms))
        return [QD, "build", "-q", "--no-cache", f"--platform={names}", f"--output={self.archive('ours')}", *words]


def _environment(home: Home, more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command: the bytecode of modules is kept, as it is where the package is installed."""
    python = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{home.root}/bytecode"}
    return {**more, **home.environment, **python, "DOCKER_HOST": "unix:///nowhere", "TMPDIR": str(home.root)}


def _against_buildah(runs: int, home: Home, both: Sequence[Platform]) -> Iterator[Figure]:
    with storage(home.root / "engine") as engine:
        environment = _environment(home, engine.env)
        names: dict[str, str] = {}
        for platform in both:
            assert platform.arch is not None
            image = base_image(platform.arch.name, packages=compiling.PACKAGES)
            engine.load(image.archive)
            names[platform.architecture] = image.name
        folder = home.root / "nothing"
        folder.mkdir()
        (folder / "Dockerfile").write_text(_NOTHING.format(names[both[0].architecture]), encoding="utf-8")
        nothing = _Context(folder, environment)
        yield from _fixed(runs, nothing, both[:1])
        compiling.write_context(home.root / "compiling", names)
        context = _Context(home.root / "compiling", environment)
        yield _memory(context.compiling(1), both[:1])
        yield _one(runs, context.compiling(_NATIVE), both[:1])
        yield _two(runs, context.compiling(_EMULATED), both)


def _fixed(runs: int, context: _Context, host: Sequence[Platform]) -> Iterator[Figure]:
    """A build that does next to nothing, of a base image that was looked at before: by the clock, and what processors worked for it."""
    meters: dict[str, _Meter] = {"qd build, fixed cost": seconds, "qd build, fixed work": processor_seconds}
    for name, meter in meters.items():
        ours, plain = _samples(runs, context, host, meter)
        late = median(ours) - median(plain)
        goal = f"within 1 s (now {late:+.2f} s)"
        yield Figure(name, median(ours), "s", "buildah by hand", median(plain), goal, late < 1, spread(ours))


def _one(runs: int, context: _Context, host: Sequence[Platform]) -> Figure:
    ours, plain = _samples(runs, context, host)
    reached = median(ours) / median(plain) <= 1.03
    return Figure("qd build, 1 platform", median(ours), "s", "buildah by hand", median(plain), "at most 1.03 x", reached, spread(ours))


def _two(runs: int, context: _Context, both: Sequence[Platform]) -> Figure:
    """Two platforms side by side, against the same engine building them in turn."""
    ours, plain = _samples(runs, context, both)
    faster = median(ours) < median(plain)
    return Figure("qd build, 2 platforms", median(ours), "s", "buildah in turn", median(plain), "below 1.0 x", faster, spread(ours))


def _samples(runs: int, context: _Context, platforms: Sequence[Platform], meter: _Meter = seconds) -> list[list[float]]:
    """Return the seconds of ``qd build`` and of buildah called by hand; both have read the base image from disk before."""
    words = context.qd(platforms, "--engine=buildah")
    context.compiling(1).run(*words)
    return in_turns(runs, lambda: meter(lambda: context.run(*words)), lambda: meter(lambda: _by_hand(context, platforms)))


def _by_hand(context: _Context, platforms: Sequence[Platform]) -> None:
    """Build each platform and write its archive, with a cache for the next time as ``qd build`` has it; then forget the image."""
    for platform in platforms:
        image = f"localhost/by-hand:{platform.tag}"
        context.run(*_buildah(platform))
        archive = f"oci-archive:{context.archive(platform.tag)}"
        process.run(["buildah", "push", "-q", "--format=oci", image, archive], env=context.environment)
        process.run(["buildah", "rmi", image], env=context.environment)


def _buildah(platform: Platform) -> list[str]:
    image = f"localhost/by-hand:{platform.tag}"
    return ["buildah", "build", "-q", "--no-cache", "--layers", "--pull=false", f"--platform={platform}", f"--tag={image}"]


def _memory(context: _Context, host: Sequence[Platform]) -> Figure:
    """The largest process of each side."""
    ours = _mebibytes(context, context.qd(host, "--engine=buildah"))
    plain = _mebibytes(context, _buildah(host[0]))
    return Figure("qd build, largest process", ours, "MiB", "buildah by hand", plain, "below 100 MiB", ours < 100)


def _mebibytes(context: _Context, words: list[str]) -> float:
    argv = [sys.executable, "-c", _LARGEST, *words, *context.options, str(context.folder)]
    said = process.run(argv, env=context.environment).stderr.decode(errors="replace")
    return int(said.split()[-1]) / 1024


def _against_buildkit(runs: int, home: Home, both: Sequence[Platform]) -> Iterator[Figure]:
    """Two platforms by BuildKit, against ``docker buildx build`` for both at once with the same BuildKit; where that is built."""
    if why := missing():
        print(f"     no figure against docker buildx: {why}", file=sys.stderr)
        return
    data = home.root / "buildkit"
    data.mkdir()
    with ExitStack() as stack:
        engine = stack.enter_context(buildkit(data))
        environment = _environment(home, {**os.environ, **engine.env})
        compiling.write_context(home.root / "for-buildkit", {})
        layouts = tuple(f"--build-context=base-{one.architecture}=oci-layout://{_layout(home, one)}:13" for one in both)
        context = _Context(home.root / "for-buildkit", environment, layouts, _EMULATED)
        process.run([QD, "nodes", "add", "newest", engine.address], env=environment)
        names = ",".join(map(str, both))
        ours = context.qd(both, "--nodes=newest", "--provenance=false")
        output = f"--output=type=oci,dest={context.archive('buildx')}"
        plain = ["docker", "buildx", "build", "-q", "--no-cache", "--provenance=false", f"--platform={names}", output]
        context.compiling(1).run(*ours)
        fast, slow = in_turns(runs, lambda: seconds(lambda: context.run(*ours)), lambda: seconds(lambda: context.run(*plain)))
        reached = median(fast) <= median(slow)
        yield Figure("qd build, BuildKit", median(fast), "s", "docker buildx build", median(slow), "at most 1.0 x", reached, spread(fast))


def _layout(home: Home, platform: Platform) -> Path:
    """Return the base image as an OCI layout with the tag ``13``."""
    assert platform.arch is not None
    folder = home.root / f"base-{platform.architecture}"
    archive = base_image(platform.arch.name, packages=compiling.PACKAGES).archive
    process.run(["skopeo", "copy", "--quiet", f"docker-archive:{archive}", f"oci:{folder}:13"])
    return folder


def _plan(runs: int, home: Home) -> Figure:
    """A Dockerfile of 500 lines, against a Python that does nothing but import what the command line needs."""
    file = home.root / "Dockerfile"
    file.write_text("FROM debian AS stage0\nRUN true\n" + "".join(_STAGE.format(number, number - 1) for number in range(1, 84)))
    words = [QD, "plan", "--json", "--platform", "linux/amd64,linux/arm64", "-f", str(file), str(home.root)]
    environment = _environment(home, {})
    process.run(words, env=environment)
    plan, idle = in_turns(
        runs,
        lambda: seconds(lambda: process.run(words, env=environment)),
        lambda: seconds(lambda: process.run([sys.executable, "-c", "import typer, rich.console, pydantic, asyncio"], env=environment)),
    )
    value = median(plan)
    return Figure("qd plan, 500 lines", value, "s", "imports alone", median(idle), "below 2 s", value < 2, spread(plan))
