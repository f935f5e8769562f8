"""Of which platforms a plan will want to know how nodes run them, so that nobody tries the others."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.build.dockerfile.model import Dockerfile
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.planning.place import resolver
from quarterdeck.build.platform import Platform


def wanted_platforms(dockerfile: Dockerfile, platforms: Sequence[Platform], options: PlanOptions) -> frozenset[Platform]:
    """Return the target platforms and those that stages have of their own, when this host is the build platform.

    Raises:
        DockerfileError: the file makes no sense.
        UsageError: there is no such stage.
    """
    resolve, here = resolver(dockerfile, options), Platform.of_host()
    own = (stage.platform for platform in platforms for stage in resolve(platform, here).needed)
    return frozenset([*platforms, *own])
