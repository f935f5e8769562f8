"""The built front end: an explicit map of files, so that no request can name any other."""

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
    """Serves the files that lie in ``folder``, by a map of them; ``index.html`` is left to ``/``.

    The map is made again when ``index.html`` changed, since a newer version of the front end may be installed while a machine
    runs. Compressed twins (``.br``, ``.gz``) are sent to browsers that accept them. Symbolic links are left out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._made_for: int | None = None

    def install(self, app: web.Application) -> None:
        """Add the route of all files, which leaves the other pages and the API alone."""
        app.router.add_get("/{path:(?!login$|api/)[^/].*}", self._send)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        path = self._map().get(request.path)
        if path is None:
            raise web.HTTPNotFound
        return file_response(path, _FOREVER if request.path.startswith("/assets/") and _HASHED.search(path.name) else _ASK_AGAIN)

    def _map(self) -> dict[str, Path]:
        now = _changed(self._folder / "index.html")
        if now != self._made_for:
            self._files = {f"/{path.relative_to(self._folder).as_posix()}": path for path in _regular_files(self._folder)}
            self._made_for = now
        return self._files


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


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
