from tests.integration.media.fetch.conftest import http, lab

__all__ = ["http", "lab"]
