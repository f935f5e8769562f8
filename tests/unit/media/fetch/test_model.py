import pytest

from quarterdeck.errors import UsageError
from quarterdeck.media.fetch.model import Checksum, Detached, Wanted, new_hash


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [("sha256:" + "A" * 64, "sha256"), ("SHA-512=" + "0" * 128, "sha512"), ("md5:" + "f" * 32, "md5"), (" b2:" + "1" * 128, "b2")],
)
def test_checksums_are_read_in_the_usual_ways(text: str, algorithm: str) -> None:
    checksum = Checksum.parse(text)
    assert checksum.algorithm == algorithm
    assert checksum.value == checksum.value.lower()
    assert str(checksum) == f"{algorithm}:{checksum.value}"
    assert checksum.weak == (algorithm == "md5")
    assert len(new_hash(algorithm).hexdigest()) == len(checksum.value)


@pytest.mark.parametrize("text", ["", "sha256", "sha256:", "sha256:" + "a" * 63, "sha256:" + "g" * 64, "crc32:" + "0" * 8, "a" * 64])
def test_what_is_no_checksum_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Checksum.parse(text)


def test_short_key_ids_and_empty_lists_of_urls_are_refused() -> None:
    with pytest.raises(UsageError):
        Detached("https://example.org/x.sig", "0xDEADBEEF")
    with pytest.raises(UsageError):
        Wanted(())
