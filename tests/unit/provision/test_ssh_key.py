import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.errors import UsageError
from quarterdeck.provision.ssh_key import KEY_TYPES, parse_public_key


def blob(kind: str) -> str:
    return base64.b64encode(len(kind).to_bytes(4, "big") + kind.encode() + b"\x00\x00\x00\x01x").decode()


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_each_known_type_is_accepted(kind):
    assert parse_public_key(f"  {kind}  {blob(kind)}  a comment \n") == f"{kind} {blob(kind)} a comment"


def test_a_key_needs_no_comment():
    assert parse_public_key(f"ssh-rsa {blob('ssh-rsa')}") == f"ssh-rsa {blob('ssh-rsa')}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-rsa",
        "ssh-rsa not-base64!",
        f"ssh-rsa {blob('ssh-ed25519')}",
        f"ssh-dss {blob('ssh-dss')}",
        f'command="x" ssh-rsa {blob("ssh-rsa")}',
        f"ssh-rsa {blob('ssh-rsa')}\nssh-rsa {blob('ssh-rsa')}",
        f"ssh-rsa {blob('ssh-rsa')[:6]}",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError):
        parse_public_key(text)


def test_a_private_key_is_named_as_such():
    with pytest.raises(UsageError) as caught:
        parse_public_key("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----")
    assert ".pub" in caught.value.hint


@settings(deadline=None)
@given(st.text())
def test_garbage_never_crashes(text):
    with pytest.raises(UsageError):
        parse_public_key(text)
