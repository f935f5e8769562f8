import os
import stat
import subprocess

import pytest
from pycdlib import PyCdlib

from quarterdeck.errors import MediaError
from quarterdeck.media.formats import ImageFormat, detect_format
from quarterdeck.media.seed import write_seed
from quarterdeck.provision.cloud_init import FirstBoot, meta_data, user_data

pytestmark = pytest.mark.integration

BOOT = FirstBoot(hostname="box", user="debian", instance_id="i-1", password="sécret", macs=("52:54:00:00:00:01",))


def test_a_real_tool_reads_the_seed_back(tmp_path):
    # blkid is what the guest's udev asks for the label.
    path = tmp_path / "seed.iso"
    write_seed(path, BOOT)
    told = subprocess.run(["blkid", "-p", "-o", "export", path], check=True, capture_output=True, text=True).stdout
    assert "LABEL=cidata" in told
    assert "TYPE=iso9660" in told
    assert detect_format(path) is ImageFormat.ISO


def test_both_extensions_hold_the_files_under_their_full_names(tmp_path):
    path = tmp_path / "seed.iso"
    write_seed(path, BOOT)
    disc = PyCdlib()
    disc.open(os.fspath(path))
    for names in ({"rr_path": "/user-data"}, {"joliet_path": "/user-data"}):
        with disc.open_file_from_iso(**names) as file:
            assert file.read().decode() == user_data(BOOT)
    with disc.open_file_from_iso(rr_path="/meta-data") as file:
        assert file.read().decode() == meta_data(BOOT)
    with disc.open_file_from_iso(joliet_path="/network-config") as file:
        assert b"52:54:00:00:00:01" in file.read()
    disc.close()


def test_the_seed_is_private_and_replaced_whole(tmp_path):
    path = tmp_path / "seed.iso"
    write_seed(path, BOOT)
    write_seed(path, BOOT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["seed.iso"]


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(MediaError):
        write_seed(tmp_path / "absent/seed.iso", BOOT)
