import re

import pytest

from quarterdeck.console import pages
from quarterdeck.console.security import content_security_policy

ALL = [
    pages.login_needed("demo"),
    pages.login_refused("demo"),
    pages.login_limited(12.3),
    pages.login_done(),
    pages.not_built(),
    pages.problem(404, "there is nothing", "go on"),
]


@pytest.mark.parametrize("page", ALL)
def test_pages_are_whole_and_have_no_scripts(page):
    assert page.text.startswith("<!doctype html>")
    assert "<script" not in page.text
    assert "color-scheme: light dark" in page.text
    assert 'name="viewport"' in page.text


def test_pages_say_how_to_get_in():
    assert "qd open demo" in pages.login_needed("demo").text
    assert "qd open demo" in pages.login_refused("demo").text
    assert pages.login_limited(12.3).headers["Retry-After"] == "12"
    assert "make setup" in pages.not_built().text


def test_names_are_escaped():
    assert "<b>" not in pages.login_needed("<b>").text
    assert "<b>" not in pages.problem(400, "<b>", "<b>").text


def test_the_policy_allows_only_our_own_scripts_and_sockets():
    policy = content_security_policy("127.0.0.1:8006")
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "connect-src 'self' ws://127.0.0.1:8006 wss://127.0.0.1:8006;" in policy
    assert re.search("script-src[^;]*unsafe", policy) is None
    assert "ws:" not in content_security_policy("")
