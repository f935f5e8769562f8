"""``pytest tests/golden --regenerate-golden`` writes the expected commands anew; read the difference like code."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate-golden", "--update-golden", action="store_true", help="write tests/golden/expected anew")
