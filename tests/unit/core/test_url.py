import pytest

from quarterdeck.core.url import is_url, local_path
from quarterdeck.errors import UsageError


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///images/disk.qcow2", "/images/disk.qcow2"),
        ("FILE://LocalHost/images/My%20Disk%23.qcow2", "/images/My Disk#.qcow2"),
        ("file:/images/disk.qcow2", "/images/disk.qcow2"),
        ("file:///%ff.img", "/\udcff.img"),
        ("/images/a%20b.img", "/images/a%20b.img"),
        ("debian:trixie", "debian:trixie"),
        ("file:disk.img", "file:disk.img"),
        ("https://example.org/a", "https://example.org/a"),
    ],
)
def test_a_file_url_is_the_path_that_it_names(url, path):
    assert local_path(url) == path
    assert not path.startswith("/") or not is_url(url)


@pytest.mark.parametrize("url", ["file://server/share/x.img", "file://", "file:///", "file:///a%00b", "file:///x.img#y", "file:///x.img?y"])
def test_file_urls_that_name_no_file_of_this_host_are_refused(url):
    with pytest.raises(UsageError) as caught:
        local_path(url)
    assert caught.value.key == "file-url"


@pytest.mark.parametrize("url", ["ftp://example.org/a.iso", "s3://bucket/a.img", "docker://debian"])
def test_urls_by_which_nothing_is_fetched_are_refused(url):
    with pytest.raises(UsageError) as caught:
        local_path(url)
    assert caught.value.key == "unknown-scheme"
