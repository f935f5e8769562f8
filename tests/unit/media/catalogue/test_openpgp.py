import base64

from quarterdeck.media.catalogue import openpgp

# An ed25519 key that was made for this test: its public key packet, in the old packet format.
BODY = bytes.fromhex("04665544331609") + b"+\x06\x01\x04\x01\xdaG\x0f\x01\x01\x07@" + bytes(range(32))
KEY = bytes([0x98, len(BODY)]) + BODY


def test_the_fingerprint_of_a_key_is_that_of_its_packet() -> None:
    (fingerprint,) = openpgp.primary_keys(KEY)
    assert openpgp.keyring(KEY, fingerprint) == KEY
    assert openpgp.keyring(KEY, "0" * 40) is None
    new_format = bytes([0xC6, len(BODY)]) + BODY
    assert openpgp.primary_keys(new_format + KEY + b"\x00rest") == {fingerprint}


def test_armor_is_taken_off() -> None:
    (fingerprint,) = openpgp.primary_keys(KEY)
    text = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + base64.b64encode(KEY) + b"\n-----END PGP PUBLIC KEY BLOCK-----\n"
    assert openpgp.keyring(text, fingerprint) == KEY
    assert openpgp.keyring(b"<html>no key</html>", fingerprint) is None
    assert openpgp.keyring(b"", fingerprint) is None
