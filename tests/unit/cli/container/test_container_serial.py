"""What the guest writes on its serial console, as the container's log shows it."""

import pytest

from quarterdeck.cli.container.serial import PlainText


def plain(*pieces: bytes) -> bytes:
    text = PlainText()
    return b"".join(text.feed(piece) for piece in pieces)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"plain \xc3\xa4 text\r\n", b"plain \xc3\xa4 text\n"),
        (b"\x1b[0;32m  OK  \x1b[0m] up\n", b"  OK  ] up\n"),
        (b"\x1b[2J\x1b[01;01H\x1b[=3hfirmware", b"firmware"),
        (b"\x1b]0;title\x07named", b"named"),
        (b"\x1b]52;c;Y2xpcA==\x1b\\clipboard", b"clipboard"),
        (b"\x1bP1$r0m\x1b\\device", b"device"),
        (b"\x1b(Bcharset\x1b7\x1b8", b"charset"),
        (b"bell\x07 back\x08 delete\x7f", b"bell back delete"),
        (b"tab\there", b"tab\there"),
        (b"\x9b31m is text in UTF-8 \xe2\x9b\xb5", b"\x9b31m is text in UTF-8 \xe2\x9b\xb5"),
    ],
)
def test_commands_for_terminals_are_left_out(written, shown):
    assert plain(written) == shown


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_command_may_come_in_pieces(cut):
    text = b"a\x1b[0;32mgreen\x1b]0;title\x07b"
    assert plain(text[:cut], text[cut:]) == b"agreenb"


def test_a_command_that_never_ends_does_not_hold_the_log_back():
    assert plain(b"\x1b]0;" + b"x" * 9000, b"\nnext").endswith(b"\nnext")
