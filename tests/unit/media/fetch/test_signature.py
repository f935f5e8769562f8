import base64

import pytest

from quarterdeck.errors import MediaError
from quarterdeck.media.fetch.signature import dearmor, judge

KEY, SUBKEY, OTHER = "A" * 40, "B" * 40, "C" * 40
VALID = f"[GNUPG:] NEWSIG\n[GNUPG:] VALIDSIG {SUBKEY} 2026-01-01 1767225600 0 4 0 22 10 00 {KEY}\n"


@pytest.mark.parametrize("key", [KEY, SUBKEY])
def test_a_signature_by_the_key_or_one_of_its_subkeys_is_good(key: str) -> None:
    assert judge(VALID, key) == ""


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (VALID.replace(KEY, OTHER).replace(SUBKEY, OTHER), OTHER),
        ("", "no signature"),
        (f"[GNUPG:] BADSIG 123 name VALIDSIG {KEY}\n", "changed"),
        (f"{VALID}[GNUPG:] REVKEYSIG 123 name\n", "revoked"),
        (f"[GNUPG:] EXPKEYSIG 123 name\n{VALID}", "expired"),
        ("[GNUPG:] ERRSIG 123 22 10 00 1 9\n", "another key"),
        (VALID.replace("[GNUPG:] ", "gpgv: "), "no signature"),
    ],
)
def test_everything_else_is_not(status: str, word: str) -> None:
    assert word in judge(status, KEY)


def test_armored_keys_become_binary_and_several_are_joined() -> None:
    raw = b"\x98" + bytes(range(100))
    text = base64.encodebytes(raw)
    block = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\n" + text + b"=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
    assert dearmor(block) == raw
    assert dearmor(block.replace(b"\n", b"\r\n") + block) == raw + raw
    assert dearmor(raw) == raw


@pytest.mark.parametrize("material", [b"", b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n"])
def test_what_is_no_key_is_refused(material: bytes) -> None:
    with pytest.raises(MediaError):
        dearmor(material)
