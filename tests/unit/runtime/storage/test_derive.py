from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.spec import CdromSpec, DiskFormat, DiskSpec, MachineSpec, NetworkSpec, ProvisionSpec
from quarterdeck.runtime.storage import derive

OLD = ImageFile("/old.raw", "raw", 512)
ISO = ImageFile("/x.iso", "raw", 512)


def layer(index: int) -> ImageFile:
    return ImageFile(f"/layers/l/disk{index}.qcow2", "qcow2", 1024 + index, OLD)


def test_disks_stand_on_the_layer_and_optical_disks_stay():
    spec = MachineSpec(
        boot="x", disks=(DiskSpec(), DiskSpec(image="/old.raw"), DiskSpec(size=512, format=DiskFormat.RAW)), cdroms=(CdromSpec(image="i"),)
    )
    assets = LocalAssets(boot_disk=OLD, images=(("/old.raw", OLD), ("i", ISO)))
    made, found = derive.on_bases(spec, assets, {index: layer(index) for index in range(3)})
    assert found.boot_disk == layer(0)
    assert dict(found.images) == {"i": ISO, layer(1).path: layer(1), layer(2).path: layer(2)}
    assert [disk.image for disk in made.disks] == [None, layer(1).path, layer(2).path]
    assert [disk.size for disk in made.disks] == [1024, 1025, 1026]
    assert {disk.format for disk in made.disks} == {DiskFormat.QCOW2}


def test_disk_of_a_spec_that_names_none_is_named_so_that_a_kernel_does_not_hide_it():
    made, found = derive.on_bases(MachineSpec(boot="x"), LocalAssets(boot_disk=OLD, kernel=KernelBoot("/k", "", "")), {0: layer(0)})
    assert len(made.disks) == 1
    assert found.kernel is not None


def test_another_machine_has_other_addresses_and_another_name():
    spec = MachineSpec(name="a", networks=(NetworkSpec(mac="52:54:00:00:00:01"),), provision=ProvisionSpec(hostname="a"))
    made = derive.renamed(spec, "b")
    assert (made.name, made.networks[0].mac, made.provision.hostname) == ("b", None, None)


def test_chain_is_given_from_the_top():
    assert layer(0).chain() == (layer(0), OLD)
