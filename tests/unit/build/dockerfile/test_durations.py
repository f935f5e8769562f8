import pytest

from quarterdeck.build.dockerfile.durations import check_duration
from quarterdeck.build.dockerfile.errors import SyntaxFault


@pytest.mark.parametrize("text", ["", "0", "-0", "0s", "-0s", "30s", "1m30s", "500ms", "1.5h.5s", "1000us", "2562047h"])
def test_durations(text):
    check_duration("interval", text)


@pytest.mark.parametrize("text", ["30", "00", ".", "s", "1d", "1 s", "-1s", "1us", "999us", "2562048h", "9" * 500 + "h"])
def test_what_is_no_duration(text):
    with pytest.raises(SyntaxFault, match="--interval"):
        check_duration("interval", text)
