"""``python -m bench.mirror FOLDER [RATE]``: serves the files of a folder over one link; prints its address first.

The kernel sends the files (sendfile), so that a mirror on the same processors takes next to nothing from those who fetch.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RATE = 112 << 20
"""Bytes a second of all connections together, whoever asks: what a line of 1 Gbit/s carries beside the headers of Ethernet, IP and TCP."""
_PIECE = 128 << 10
_BURST_SECONDS = 0.005


class Link:
    """The link that all answers share, of ``rate`` bytes a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._free = 0.0

    def carry(self, size: int) -> None:
        """Wait for the turn of ``size`` bytes."""
        with self._lock:
            now = time.monotonic()
            self._free = max(now, self._free) + size / self._rate
            ahead = self._free - now
        if ahead > _BURST_SECONDS:
            time.sleep(ahead)


class Mirror(ThreadingHTTPServer):
    """Answers whole files and ranges of those in ``folder``."""

    daemon_threads = True

    def __init__(self, folder: Path, rate: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.link = Link(rate)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mirror

    def do_GET(self) -> None:
        with (self.server.folder / Path(self.path).name).open("rb") as file:
            start, end = self._head(os.fstat(file.fileno()))
            self.wfile.flush()
            while start < end:
                size = min(_PIECE, end - start)
                self.server.link.carry(size)
                start += os.sendfile(self.connection.fileno(), file.fileno(), start, size)

    def _head(self, file: os.stat_result) -> tuple[int, int]:
        """Send the headers; return where the bytes that are asked for begin and end."""
        total = file.st_size
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = (int(match[1]), min(int(match[2]) + 1, total)) if match else (0, total)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if match else HTTPStatus.OK)
        self.send_header("ETag", f'"{file.st_mtime_ns}"')
        self.send_header("Content-Length", str(end - start))
        if match:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
        self.end_headers()
        return start, end

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    with Mirror(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else RATE) as mirror:
        print(f"http://127.0.0.1:{mirror.server_port}", flush=True)
        mirror.serve_forever()
