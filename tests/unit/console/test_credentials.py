import os
from pathlib import Path

import pytest

from quarterdeck.console.credentials import Credentials, Login, remember
from quarterdeck.console.passwords import PasswordHash
from quarterdeck.console.secretfile import SecretFile
from quarterdeck.errors import UsageError

TOKEN = "0123456789abcdef"
VIEW = "fedcba9876543210"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return tmp_path / "secrets.json"


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_hash_is_text_and_back_and_matches_one_password_only():
    made = PasswordHash.of("p\u00e4ss\udcff")
    again = PasswordHash.parse(str(made))
    assert again == made
    assert (again.matches("p\u00e4ss\udcff"), again.matches("p\u00e4ss")) == (True, False)
    assert PasswordHash.of("a") != PasswordHash.of("a")


@pytest.mark.parametrize("text", [None, 5, "", "scrypt:", "scrypt:00:11", "plain", "scrypt:" + "0" * 32 + ":" + "z" * 128])
def test_what_is_no_hash_is_none(text):
    assert PasswordHash.parse(text) is None


@pytest.mark.parametrize(
    ("text", "secret"), [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a"), (" a \n", " a "), ("\u00e4" * 512, "\u00e4" * 512)]
)
def test_a_secret_is_the_only_line_of_its_file(tmp_path, text, secret):
    assert SecretFile(written(tmp_path / "s", text), "it").read() == secret


@pytest.mark.parametrize("text", ["", "\n", "a\nb", "a\n\n", b"\xff", "a" * 1025, "a\0b"])
def test_a_file_that_holds_no_secret_is_refused_and_its_text_not_shown(tmp_path, text):
    with pytest.raises(UsageError) as caught:
        SecretFile(written(tmp_path / "s", text), "viewer.password_file").read()
    assert caught.value.key == "bad-secret-file"
    assert "viewer.password_file" in caught.value.message
    assert str(tmp_path) in caught.value.reason + caught.value.hint


def test_a_missing_file_and_a_short_token_are_refused(tmp_path, secrets):
    with pytest.raises(UsageError, match="cannot be read"):
        Credentials(Login(password_file=tmp_path / "none"), secrets)
    with pytest.raises(UsageError, match="too short"):
        Credentials(Login(token_file=written(tmp_path / "t", "short")), secrets)


async def test_user_and_password_must_both_be_right(tmp_path, secrets):
    known = Credentials(Login(user="ann", password_file=written(tmp_path / "p", "secret\n")), secrets)
    assert known.has_password
    for user, password in [("ann", "wrong"), ("bob", "secret"), ("", "secret"), ("ann", "secret\n"), ("ann", "x" * 2000)]:
        assert await known.password(user, password) is None
    grant = await known.password("ann", "secret")
    assert grant == await known.password("ann", "secret")
    assert grant is not None
    assert (grant.view_only, grant.source in known.sources()) == (False, True)
    assert await known.password("ann", "wrong") is None


async def test_without_a_user_the_password_alone_counts(tmp_path, secrets):
    known = Credentials(Login(password_file=written(tmp_path / "p", "secret")), secrets)
    assert await known.password("anybody", "secret") is not None


async def test_another_password_in_the_file_counts_at_once_and_is_another_source(tmp_path, secrets):
    path = written(tmp_path / "p", "first")
    known = Credentials(Login(password_file=path), secrets)
    before = await known.password("", "first")
    assert before is not None
    os.replace(written(tmp_path / "new", "second"), path)
    assert await known.password("", "first") is None
    assert await known.password("", "second") is not None
    assert before.source not in known.sources()
    path.unlink()
    assert (known.has_password, known.sources()) == (False, set())


async def test_a_password_that_stays_is_the_same_source_in_the_next_run(tmp_path, secrets):
    login = Login(password_file=written(tmp_path / "p", "secret"))
    assert Credentials(login, secrets).sources() == Credentials(login, secrets).sources()
    assert "secret" not in secrets.read_text().replace("scrypt", "")


def test_tokens_give_all_or_a_look(tmp_path, secrets):
    login = Login(token_file=written(tmp_path / "t", TOKEN), view_token_file=written(tmp_path / "v", VIEW))
    known = Credentials(login, secrets)
    full, view = known.token(TOKEN), known.token(VIEW)
    assert full is not None
    assert view is not None
    assert (full.view_only, view.view_only) == (False, True)
    assert known.token("") is None
    assert known.token(TOKEN[:-1]) is None
    assert {full.source, view.source} == known.sources()


async def test_secrets_given_in_words_are_kept_hashed_until_they_are_taken_away(secrets):
    remember(secrets, password="pass word", token=TOKEN, view_token=VIEW)
    text = secrets.read_text()
    assert not any(word in text for word in ("pass word", TOKEN, VIEW))
    assert secrets.stat().st_mode & 0o777 == 0o600
    remember(secrets, password="pass word", token=TOKEN)
    known = Credentials(Login(given=True), secrets)
    assert await known.password("", "pass word") is not None
    assert (known.token(TOKEN) is not None, known.token(VIEW)) == (True, None)
    assert not Credentials(Login(), secrets).sources()
    remember(secrets)
    assert not Credentials(Login(given=True), secrets).sources()


@pytest.mark.parametrize("given", [{"password": ""}, {"password": "x" * 1025}, {"token": "short"}, {"view_token": ""}])
def test_secrets_that_protect_nothing_are_not_kept(secrets, given):
    with pytest.raises(UsageError):
        remember(secrets, **given)
    assert not secrets.exists()
