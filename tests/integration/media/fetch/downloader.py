"""Downloads one file in a process of its own for each line that is read, to be killed.

Arguments are URL, SHA256, FOLDER and TARGET. Answers are the process number, and how it ended, as ``os.waitstatus_to_exitcode`` says. All
are forked from one, so that none takes time to begin; what is known is written down often, so that they need not live long.
"""

import asyncio
import os
import sys
from pathlib import Path

from quarterdeck.media.fetch import download as downloads
from quarterdeck.media.fetch.download import open_download
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted

JOURNAL_SECONDS = 0.02


async def download(url: str, sha256: str, folder: str, target: str) -> None:
    wanted = Wanted((url,), checksum=Checksum("sha256", sha256))
    async with Http() as http, open_download(wanted, folder=Path(folder), http=http) as running:
        await running.finish()
        running.take(Path(target))


def main(url: str, sha256: str, folder: str, target: str) -> None:
    downloads._JOURNAL_SECONDS = JOURNAL_SECONDS
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(download(url, sha256, folder, target))
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
