"""The built front end: an explicit map of files made once, so that no request can name any other."""

from __future__ import annotations

import re
from pathlib import Path

from aiohttp import web

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".otf": "font/otf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
_COMPRESSED = frozenset({".br", ".gz"})
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
"""How Vite names a file after its content: ``index-B7x9aQ2c.js``."""
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class StaticFiles:
    """Serves the files that lay in ``folder`` when it was made; ``index.html`` is left to ``/``.

    Compressed twins (``.br``, ``.gz``) are sent to browsers that accept them. Symbolic links are left out.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": path for path in _regular_files(folder)}

    def install(self, app: web.Application) -> None:
        """Add one route for each file."""
        for url in self._files:
            app.router.add_get(url, self._send)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        path = self._files.get(request.path)
        if path is None:
            raise web.HTTPNotFound
        return file_response(path, _FOREVER if request.path.startswith("/assets/") and _HASHED.search(path.name) else _ASK_AGAIN)


def file_response(path: Path, cache: str) -> web.StreamResponse:
    """Return the answer that sends a file, or 404 when it is gone since."""
    kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    return web.FileResponse(path, headers={"Content-Type": kind, "Cache-Control": cache})


def _regular_files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [
        path
        for path in found
        if path.is_file() and not path.is_symlink() and path.suffix not in _COMPRESSED and path != folder / "index.html"
    ]
