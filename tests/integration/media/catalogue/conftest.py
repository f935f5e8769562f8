from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.integration.media.catalogue.layouts import Found
from tests.integration.media.catalogue.more_layouts import build_all
from tests.integration.media.catalogue.site import Signer, Site, certificate, serving, signer

from quarterdeck.media.catalogue.pages import Pages
from quarterdeck.media.fetch.http import Http, Patience


@pytest.fixture(scope="session")
def publisher_key() -> Iterator[Signer]:
    with signer() as key:
        yield key


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    certificate(folder)
    return folder


@pytest.fixture(scope="session")
def world(publisher_key: Signer) -> tuple[Site, Found]:
    """All publishers as they should be, and what must be found there; tests change copies only."""
    site = Site(publisher_key)
    return site, build_all(site)


@pytest.fixture
def site(world: tuple[Site, Found], publisher_key: Signer) -> Site:
    copy = Site(publisher_key)
    copy.files, copy.redirects = dict(world[0].files), dict(world[0].redirects)
    return copy


@pytest.fixture
def expected(world: tuple[Site, Found]) -> Found:
    return world[1]


@pytest.fixture
async def mirror(site: Site, tls: Path) -> AsyncIterator[str]:
    async with serving(site, tls) as url:
        yield url


@pytest.fixture
async def pages(mirror: str, tls: Path) -> AsyncIterator[Pages]:
    async with Http(ca_file=tls / "ca.pem", patience=Patience(attempts=1)) as http:
        pages = Pages(http, mirror=mirror)
        yield pages
        await pages.close()
