"""What is asked for of an image, whether for one platform of it or for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """Everything that is the same for each platform of an image.

    Attributes:
        context: a folder, or a URL that the engine fetches itself.
        target: the stage to build, empty for the last.
        build_args: a value of None is taken from the environment.
        secrets, ssh, cache_from, cache_to: as BuildKit writes them (``id=token,src=FILE``; ``type=registry,ref=NAME``).
        annotations: of the manifest of each image.
        network: ``default``, ``none`` or ``host`` for all RUN, empty for what the engine does.
        provenance, sbom: as ``docker buildx build`` takes them; None for what the engine does.
        extra: arguments for the engine, untouched.
        packed: whether layers are compressed, where the engine has the choice; what an engine here is to keep is unpacked at once.
        step_timeout: seconds without any output after which the build is ended; None to wait for ever.
    """

    context: str
    target: str = ""
    build_args: Mapping[str, str | None] = field(default_factory=dict)
    build_contexts: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    no_cache: bool = False
    pull: bool = False
    network: str = ""
    add_hosts: tuple[str, ...] = ()
    provenance: str | None = None
    sbom: str | None = None
    extra: tuple[str, ...] = ()
    packed: bool = True
    step_timeout: float | None = None
