import pytest

from quarterdeck.core.size import format_size, parse_size
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("1K", 1024),
        ("1k", 1024),
        ("2GiB", 2 << 30),
        ("2 GB", 2 << 30),
        ("4Gi", 4 << 30),
        (" 1.5 GB ", 3 << 29),
        ("1.0", 1),
        ("0.1K", 102),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "G",
        "-1",
        "+1",
        "1e3",
        "1,5G",
        "1.G",
        ".5G",
        "1 2",
        "0x10",
        "1GG",
        "512iB",
        "1.5",
        "٣G",
        "1G\n1",
        "nan",
        "9223372036854775808",
        "8192P",
    ],
)
def test_what_is_no_size_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text)
    assert caught.value.key == "invalid-size"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), ((1 << 30) - 1, "1 GiB"), (5 << 50, "5 PiB"), (1 << 62, "4096 PiB")],
)
def test_sizes_are_written_short(size: int, text: str) -> None:
    assert format_size(size) == text
