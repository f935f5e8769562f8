"""A process that downloads one file, to be killed; its arguments are URL, SHA256, FOLDER and TARGET."""

import asyncio
import sys
from pathlib import Path

from quarterdeck.media.fetch.download import open_download
from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted


async def main(url: str, sha256: str, folder: str, target: str) -> None:
    wanted = Wanted((url,), checksum=Checksum("sha256", sha256))
    async with Http() as http, open_download(wanted, folder=Path(folder), http=http) as download:
        await download.finish()
        download.take(Path(target))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
