"""The specs of this folder, and an imaginary host and files to resolve them with."""

from dataclasses import replace
from pathlib import Path

from quarterdeck.core.arch import Arch, find_arch
from quarterdeck.core.images import ImageFile, KernelBoot
from quarterdeck.core.process import Identity
from quarterdeck.host.facts import HostFacts, KvmFacts, NetworkFacts, QemuFacts, Verdict
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.layout import MachineLayout
from quarterdeck.machine.load import load_spec
from quarterdeck.machine.spec import MachineSpec
from quarterdeck.provision.kind import Provisioning

HERE = Path(__file__).parent
SPECS = {path.stem: path for path in sorted((HERE / "specs").glob("*.yaml"))}
NOBODY = Identity(65534, 65534)
GIB = 1 << 30
NO_KVM = KvmFacts(False, "this host's processor offers no virtualisation")
HOME = Path("/srv/qd")
USER_FILES = Path("/home/me/disk images")

_TOOLS = {
    "passt": "/usr/bin/passt",
    "swtpm": "/usr/bin/swtpm",
    "virtiofsd": "/usr/libexec/virtiofsd",
    "qemu-bridge-helper": "/usr/lib/qemu/qemu-bridge-helper",
    "nft": "/usr/sbin/nft",
    "dnsmasq": "/usr/sbin/dnsmasq",
}
_YES = Verdict(True, "it was tried")
_PLAIN = NetworkFacts(passt=Verdict(False, "its sandbox is refused here"))
_NETWORKS = {
    "network-auto-tap": NetworkFacts(
        container="docker",
        shared=False,
        tap=Verdict(True, "NET_ADMIN and /dev/net/tun are there"),
        passt=_YES,
        forwarding4=_YES,
        forwarding6=_YES,
        uplink="eth0",
        mtu=1450,
        routes=(("172.17.0.0/255.255.0.0", "eth0"), ("172.30.0.0/16", "eth1")),
        ipv6=True,
        vhost=True,
    ),
    "network-auto-passt": NetworkFacts(
        container="docker",
        shared=False,
        tap=Verdict(False, "it lacks NET_ADMIN", "start the container with --cap-add NET_ADMIN --device /dev/net/tun"),
        passt=_YES,
        uplink="eth0",
        mtu=1500,
        lowest_port=1024,
    ),
    "network-own-tap": NetworkFacts(tap=_YES, forwarding4=_YES, forwarding6=Verdict(False, "forwarding is off", "switch it on"), ipv6=True),
    "network-macvtap": NetworkFacts(macvtap=_YES, uplink="enp1s0", mtu=9200),
}
_FORMATS = {".qcow2": "qcow2", ".vmdk": "vmdk", ".vdi": "vdi", ".iso": "raw", ".img": "raw"}


def load(name: str) -> MachineSpec:
    """Return the spec ``name`` of this folder."""
    return load_spec(SPECS[name].read_text(encoding="utf-8"), name)


def arch_of(spec: MachineSpec) -> Arch:
    return find_arch(spec.arch or "x86_64")


def layout(name: str, home: Path = HOME) -> MachineLayout:
    """Return where the machine lies; the spec ``odd-folder`` lies in a folder with a name that needs escaping."""
    odd = "a,b 'c' \"d\" \\e é" if name == "odd-folder" else "."
    return MachineLayout(home / odd / "machines" / name)


def facts(name: str, spec: MachineSpec) -> HostFacts:
    """Return a host where everything is installed; a few specs want it different."""
    arch = arch_of(spec)
    whole = HostFacts(
        arch=arch.name,
        kernel="6.1.0",
        cpus=8,
        memory=16 * GIB,
        memory_available=12 * GIB,
        qemu=QemuFacts(f"/usr/bin/qemu-system-{arch.system}", (7, 2, 0)),
        kvm=NO_KVM,
        firmware=arch.firmware,
        tools=tuple(_TOOLS.items()),
        network=_PLAIN,
    )
    return adapted(name, whole)


def adapted(name: str, whole: HostFacts) -> HostFacts:
    """Return the host as the spec ``name`` wants it."""
    if name in _NETWORKS:
        return replace(whole, network=_NETWORKS[name])
    if name.startswith("kvm"):
        return replace(whole, kvm=KvmFacts(True, "QEMU ran a guest under it"))
    if name == "share-virtiofs-legacy":
        return replace(whole, tools=tuple((_TOOLS | {"virtiofsd": "/usr/lib/qemu/virtiofsd"}).items()))
    if name.startswith("identity"):
        return replace(whole, identity=NOBODY)
    if name.startswith("no-firmware"):
        return replace(whole, firmware=())
    return whole


def image(path: str) -> ImageFile:
    return ImageFile(path, _FORMATS[Path(path).suffix], GIB)


def assets(spec: MachineSpec, folder: Path = USER_FILES) -> LocalAssets:
    """Return what ``boot`` and the images are, told by their names."""
    wanted = [disk.image for disk in spec.disks] + [drive.image for drive in spec.cdroms]
    images = tuple((name, image(f"{folder}/{name}")) for name in wanted if name is not None)
    kernel = KernelBoot(f"{folder}/vmlinuz", f"{folder}/initrd.img", "root=/dev/vda1 quiet")
    match spec.boot:
        case None:
            return LocalAssets(images=images)
        case "debian":
            disk = image(f"{folder}/debian.qcow2")
            return LocalAssets(
                boot_disk=disk, kernel=kernel, uefi=True, bios=False, provisioning=Provisioning.CLOUD_INIT, login="debian", images=images
            )
        case "kernel":
            return LocalAssets(kernel=kernel, images=images)
        case text if text.endswith(".iso"):
            return LocalAssets(boot_iso=image(f"{folder}/{text}"), images=images)
        case text if text.startswith("bios"):
            return LocalAssets(boot_disk=image(f"{folder}/{text}"), uefi=False, bios=True, images=images)
        case text:
            return LocalAssets(boot_disk=image(f"{folder}/{text}"), images=images)
