"""Checks one image: its configuration, its layers, and every ELF file that remains in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from quarterdeck.build.check.elves import Verdict, judge
from quarterdeck.build.check.finding import Finding, Key, Layer, Severity
from quarterdeck.build.check.layers import apply_layer
from quarterdeck.build.check.memory import LayerMemory
from quarterdeck.build.check.report import CheckedImage
from quarterdeck.build.check.tree import Tree
from quarterdeck.build.oci import media_types
from quarterdeck.build.oci.errors import BadImageError, BlobMissingError
from quarterdeck.build.oci.layout import ImageSource, may_be_absent
from quarterdeck.build.oci.model import Descriptor, ImageConfig, Manifest
from quarterdeck.build.oci.words import printable
from quarterdeck.build.platform import Platform

MOST_OF_A_KIND = 1000
"""Findings of one kind in one image; more are only counted."""
_LONGEST_STEP = 2000


@dataclass
class ImageCheck:
    """The check of one image: ``descriptor`` is its entry in the index, ``strict`` as for :func:`judge`, ``memory`` spares unpacking."""

    source: ImageSource
    descriptor: Descriptor
    manifest: Manifest
    config: ImageConfig
    strict: bool = False
    memory: LayerMemory | None = None
    findings: list[Finding] = field(default_factory=list)
    _tree: Tree = field(default_factory=Tree)
    _files: int = 0
    _counts: Counter[Key] = field(default_factory=Counter)

    @property
    def platform(self) -> Platform | None:
        """The platform by the image's own word; None when it says none."""
        said = self.config.platform
        return None if said.unknown else said.normal

    def run(self) -> CheckedImage:
        """Look at everything; what is wrong is in ``findings`` then.

        Raises:
            HostError: a layer cannot be unpacked here.
        """
        self._check_config()
        whole = self._apply_layers()
        programs = self._judge_all() if whole else 0
        self._count_the_rest()
        return CheckedImage(self.platform, self.descriptor.digest, len(self.manifest.layers), self._files, programs)

    def _check_config(self) -> None:
        said, listed = self.config.platform, self.descriptor.platform
        if said.unknown:
            self._find(Key.CONFIG_PLATFORM, Severity.ERROR, "the configuration does not say which platform the image is for")
        elif listed is not None and not listed.unknown and said.normal != listed.normal:
            self._check_variant(said.normal, listed.normal, bare=not said.variant)
        if len(self.config.diff_ids) != len(self.manifest.layers):
            counts = f"the configuration names {len(self.config.diff_ids)} layers, the manifest {len(self.manifest.layers)}"
            self._find(Key.LAYER_COUNT, Severity.ERROR, counts)

    def _check_variant(self, said: Platform, listed: Platform, *, bare: bool) -> None:
        if bare and (said.os, said.architecture) == (listed.os, listed.architecture):
            text = f"the index says {listed}, the configuration names no variant"
            self._find(Key.CONFIG_VARIANT, Severity.NOTE, text)
            return
        hint = "engines choose by the index and tell the container what the configuration says"
        self._find(Key.CONFIG_PLATFORM, Severity.ERROR, f"the index says {listed}, the configuration {said}", hint=hint)

    def _apply_layers(self) -> bool:
        """Apply the layers in their order; return whether all could be."""
        applied = [self._apply(number, layer) for number, layer in enumerate(self.manifest.layers)]
        return all(applied)

    def _apply(self, number: int, layer: Descriptor) -> bool:
        place = self._layer(number)
        if layer.media_type not in media_types.LAYERS:
            kind = "encrypted" if layer.media_type.endswith(media_types.ENCRYPTED_SUFFIX) else f"of the type {printable(layer.media_type)}"
            self._find(Key.LAYER_UNREAD, Severity.WARNING, f"a layer is {kind}, so that what is in it was not looked at", layer=place)
            return True

        def escape(name: str) -> None:
            self._find(Key.LAYER_ESCAPE, Severity.ERROR, f"'{name}' leads out of the image", layer=place)

        try:
            facts = apply_layer(self._tree, self.source, layer, number=number, escape=escape, memory=self.memory)
        except BlobMissingError:
            if not may_be_absent(layer):
                self._find(Key.LAYER_DAMAGED, Severity.ERROR, "a layer is missing", layer=place)
            else:
                self._find(Key.LAYER_UNREAD, Severity.NOTE, "a layer is only to be had from its maker, and was not looked at", layer=place)
            return may_be_absent(layer)
        except BadImageError as error:
            self._find(Key.LAYER_DAMAGED, Severity.ERROR, f"a layer cannot be read: {error.reason}", layer=place)
            return False
        self._files += facts.files
        if number < len(self.config.diff_ids) and facts.diff_id != self.config.diff_ids[number]:
            text = f"a layer has the unpacked digest {facts.diff_id}, the configuration says {self.config.diff_ids[number]}"
            self._find(Key.LAYER_DAMAGED, Severity.ERROR, text, layer=place)
        return True

    def _judge_all(self) -> int:
        """Judge what remains; return how many ELF files that are."""
        arch = self.platform.arch if self.platform is not None else None
        if arch is None:
            text = f"programs of {self.platform or 'no platform'} cannot be told apart, so they were not looked at"
            self._find(Key.PLATFORM_NOT_AUDITED, Severity.NOTE, text)
            return 0
        total = 0
        for path, file in self._tree.files():
            total += 1
            verdict = judge(path, file.header, arch, strict=self.strict)
            if verdict is not None:
                self._add(path, verdict, file.layer)
        return total

    def _count_the_rest(self) -> None:
        for key, count in list(self._counts.items()):
            if count > MOST_OF_A_KIND:
                self._find(Key.MORE_FINDINGS, Severity.NOTE, f"{count - MOST_OF_A_KIND} more files are like this: {key}")

    def _add(self, path: str, verdict: Verdict, layer: int) -> None:
        shown = printable(path)
        self._find(verdict.key, verdict.severity, verdict.text, path=shown, layer=self._layer(layer))

    def _layer(self, number: int) -> Layer:
        step = printable(self.config.made_by(number)[:_LONGEST_STEP])
        return Layer(number + 1, self.manifest.layers[number].digest, step)

    def _find(self, key: Key, severity: Severity, text: str, *, path: str = "", layer: Layer | None = None, hint: str = "") -> None:
        self._counts[key] += 1
        if self._counts[key] <= MOST_OF_A_KIND:
            self.findings.append(Finding(key, severity, text, self.platform, self.descriptor.digest, path=path, layer=layer, hint=hint))
