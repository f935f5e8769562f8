import os
import stat

import pytest

from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError, MediaError
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.provision.kind import Provisioning
from quarterdeck.runtime import assets, launch, prepare


def test_descriptors_become_sets_before_all_else():
    argv = launch.with_descriptors(("qemu", "-S"), {1: 7, 2: 9})
    assert argv == ["qemu", "-add-fd", "fd=7,set=1", "-add-fd", "fd=9,set=2", "-S"]


def test_users_of_other_machines_are_taken(tmp_path):
    mine, other = MachineLayout(tmp_path / "mine"), MachineLayout(tmp_path / "other")
    for layout in (mine, other):
        layout.vm.mkdir(parents=True)
    assert launch.taken_users(mine) == {os.geteuid()} - {0}


def test_pinned_assets_come_back_as_they_were(tmp_path):
    layout = MachineLayout(tmp_path)
    base = tmp_path / "base"
    base.touch()
    image = ImageFile(str(base), "qcow2", 5)
    found = LocalAssets(
        boot_disk=image,
        kernel=KernelBoot(str(base), str(base), "x"),
        uefi=True,
        provisioning=Provisioning.CLOUD_INIT,
        images=(("a", image),),
    )
    assets.pin(layout, found)
    assert assets.pinned(layout) == found
    base.unlink()
    with pytest.raises(MediaError) as caught:
        assets._check_present(found)
    assert caught.value.key == "image-gone"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"boot_disk": 1}'])
def test_damaged_pins_are_an_error_and_no_guess(tmp_path, content):
    (tmp_path / "assets.json").write_text(content)
    with pytest.raises(MediaError) as caught:
        assets.pinned(MachineLayout(tmp_path))
    assert caught.value.key == "assets-damaged"


def test_closed_folder_on_the_way_is_named(tmp_path):
    tmp_path.chmod(0o711)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(HostError) as caught:
        prepare.check_reachable(closed / "vm", Identity(54321, 54321))
    assert str(closed) in caught.value.message or str(tmp_path.parent) in caught.value.message


def test_made_folder_is_private_and_links_are_refused(tmp_path):
    prepare.make_folder(tmp_path / "vm", None)
    assert stat.S_IMODE((tmp_path / "vm").stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError):
        prepare.make_folder(tmp_path / "link", None)
