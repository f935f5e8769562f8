from collections.abc import AsyncIterator

import pytest
from tests.integration.media.fetch.publisher import Publisher, publisher

from quarterdeck.media.fetch.http import Http, Patience


@pytest.fixture
async def lab(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publisher]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with publisher() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(patience=Patience(attempts=3, first=0.01, longest=0.05), silence=5) as client:
        yield client
