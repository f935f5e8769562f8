"""A process that imports one image, by URL, SHA256 and FOLDER as arguments; prints its reports and the disk."""

import asyncio
import sys
from pathlib import Path

from quarterdeck.media.fetch.http import Http
from quarterdeck.media.fetch.model import Checksum, Wanted
from quarterdeck.media.library.library import Library


async def main(url: str, sha256: str, folder: str) -> None:
    library = Library(images=Path(folder, "images"), downloads=Path(folder, "downloads"))
    async with Http() as http:
        image = await library.obtain_url(Wanted((url,), checksum=Checksum("sha256", sha256)), http=http, report=print)
    print(image.disk)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
