import re

import pytest

from quarterdeck.console import pages
from quarterdeck.console.security import content_security_policy


def text_of(page):
    return str(page.text)


ALL = [
    pages.login_needed("demo"),
    pages.login_needed("demo", pages.Form("demo", asks_user=True)),
    pages.login_form(pages.Form("demo", asks_user=False), wrong=True),
    pages.login_refused("demo", pages.Form("demo", asks_user=True)),
    pages.login_refused("demo"),
    pages.login_limited(12.3),
    pages.login_done(),
    pages.not_built(),
    pages.problem(404, "there is nothing", "go on"),
]


@pytest.mark.parametrize("page", ALL)
def test_pages_are_whole_and_have_no_scripts(page):
    assert text_of(page).startswith("<!doctype html>")
    assert "<script" not in text_of(page)
    assert "color-scheme: light dark" in text_of(page)
    assert 'name="viewport"' in text_of(page)


def test_pages_say_how_to_get_in():
    assert "qd open demo" in text_of(pages.login_needed("demo"))
    assert "qd open demo" in text_of(pages.login_refused("demo"))
    assert pages.login_limited(12.3).headers["Retry-After"] == "12"
    assert "make setup" in text_of(pages.not_built())


def test_names_are_escaped():
    assert "<b>" not in text_of(pages.login_needed("<b>"))
    assert "<b>" not in text_of(pages.login_form(pages.Form("<b>", asks_user=True)))
    assert "<b>" not in text_of(pages.problem(400, "<b>", "<b>"))


def test_the_policy_allows_only_our_own_scripts_and_sockets():
    policy = content_security_policy("127.0.0.1:8006")
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "connect-src 'self' ws://127.0.0.1:8006 wss://127.0.0.1:8006;" in policy
    assert re.search("script-src[^;]*unsafe", policy) is None
    assert "ws:" not in content_security_policy("")
