"""A build as people have them: hundreds of files copied in, many of them compiled, and a layer of a hundred megabytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("gcc", "libc6-dev")
"""What the base image has to have."""
_FILES = 400
_BODY = 60
_DOCKERFILE = """ARG TARGETARCH
{bases}FROM base-${{TARGETARCH}}
COPY src /src
ARG COUNT
RUN mkdir /out && cd /src && for file in $(ls | head -n $COUNT); do gcc -O2 -c $file -o /out/$file.o || exit 1; done
RUN cat /usr/bin/*-gcc-?? /usr/libexec/gcc/*/*/cc1 /usr/libexec/gcc/*/*/lto1 > /out/data
CMD ["true"]
"""


def write_context(folder: Path, bases: Mapping[str, str]) -> None:
    """Write a Dockerfile and what it copies; ``--build-arg COUNT=N`` says how many of the files are compiled.

    Args:
        folder: where; it is made.
        bases: names of the images to begin with, by the platform's word for the architecture; without any they are build contexts
            called ``base-ARCH``.
    """
    source = folder / "src"
    source.mkdir(parents=True)
    for number in range(_FILES):
        lines = (f"double f{number}_{line}(double x) {{ return x > {line} ? x * {line}.5 : f(x + {number}); }}" for line in range(_BODY))
        (source / f"file{number:03}.c").write_text("double f(double);\n" + "\n".join(lines) + "\n", encoding="utf-8")
    stages = "".join(f"FROM {name} AS base-{arch}\n" for arch, name in bases.items())
    (folder / "Dockerfile").write_text(_DOCKERFILE.format(bases=stages), encoding="utf-8")
