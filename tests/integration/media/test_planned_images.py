"""What can be told of an image that is not there yet."""

import os

import pytest

from quarterdeck.core.arch import find_arch
from quarterdeck.media.resolve import resolve_boot
from quarterdeck.provision.kind import Provisioning

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("arch", ["x86_64", "aarch64", "s390x"])
async def test_an_image_that_is_not_made_yet_is_named_by_where_it_will_be(monkeypatch, tmp_path, arch):
    monkeypatch.setenv("QUARTERDECK_HOME", str(tmp_path))
    media = await resolve_boot("debian:trixie", find_arch(arch), make=False)
    assert media.disk is not None
    assert media.disk.path.startswith(f"{tmp_path}/images/debian-trixie-{arch}-")
    assert media.provisioning is Provisioning.CLOUD_INIT
    assert media.uefi == (arch != "s390x")
    assert os.listdir(tmp_path) == []
