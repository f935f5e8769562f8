"""What is wrong with an image."""

from __future__ import annotations

from quarterdeck.errors import MediaError


class BadImageError(MediaError):
    """An image, or a file that should be one, breaks the rules; ``reason`` says which."""

    def __init__(self, key: str, reason: str, *, message: str = "this is not a sound container image", hint: str = "") -> None:
        super().__init__(key, message, reason=reason, hint=hint)


class BlobMissingError(BadImageError):
    """A part of an image is named by its digest and is not there."""

    def __init__(self, digest: str) -> None:
        super().__init__("blob-missing", f"there is no blob {digest}")
        self.digest = digest
