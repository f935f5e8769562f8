"""The catalogue with keys that the tests have."""

from dataclasses import replace

from tests.integration.media.catalogue.site import KEY_URL, Signer

from quarterdeck.media.catalogue.catalogue import Catalogue, Layer, packaged
from quarterdeck.media.catalogue.model import Entry, Key, SignifyKey


def with_key(entry: Entry, signer: Signer) -> Entry:
    """The entry as it is, but signed by ``signer``."""
    key: Key | SignifyKey = Key(fingerprint=signer.fingerprint, owner="Publisher", urls=(KEY_URL,))
    if entry.keys and not entry.openpgp_keys:
        key = SignifyKey(signify=signer.signify_public, owner="Publisher")
    return replace(entry, keys=(key,)) if entry.keys else entry


def catalogue_for(signer: Signer) -> Catalogue:
    return Catalogue([Layer("test", tuple(with_key(entry, signer) for entry in packaged().entries))])
