"""For each variable that has an effect: values, and what they come to in the spec, the options or the notes."""

from dataclasses import dataclass
from typing import Any

from quarterdeck.machine.environment import FileKind, Found, FoundFile, OnPoweroff

GIB, MIB = 1 << 30, 1 << 20
SIGNS = "0123456789abcdef"


@dataclass(frozen=True)
class Example:
    """Variables, and what must hold: places of the spec, attributes of the options, and words of a note."""

    env: dict[str, str]
    spec: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    note: str | None = None


def spec(env: dict[str, str], **places: Any) -> Example:
    """Return an example for places of the spec, such as ``disks__0__size``."""
    return Example(env, spec={name.replace("__", "."): value for name, value in places.items()})


def option(env: dict[str, str], **values: Any) -> Example:
    return Example(env, options={name.replace("__", "."): value for name, value in values.items()})


def note(env: dict[str, str], text: str) -> Example:
    return Example(env, note=text)


def file(path: str, size: int = GIB, **facts: Any) -> FoundFile:
    return FoundFile(path=path, size=size, **facts)


def folder(path: str) -> FoundFile:
    return FoundFile(path=path, kind=FileKind.FOLDER)


FOUND = Found(
    arch="x86_64",
    lowest_port=0,
    files=(FoundFile(path="/dev/sdx", kind=FileKind.BLOCK, size=GIB), *(folder(f"/storage{number}") for number in (2, 3))),
    free=(("/storage", 41 * GIB), ("/storage2", 21 * GIB)),
    texts=(("/run/secrets/password", "from a file\n"), ("/specs/box.yaml", "memory: 3G\n")),
)
CARD = "networks__0__"
DISC = {"BOOT": "mint"}


def devices() -> dict[str, list[Example]]:
    """Return the examples of DEVICE to DEVICE6."""
    others = {
        f"DEVICE{number}": [spec({f"DEVICE{number}": "/dev/sdx"}, **{f"disks__{min(number - 1, 3)}__image": "/dev/sdx"})]
        for number in range(2, 7)
    }
    return {"DEVICE": [spec({"DEVICE": "/dev/sdx"}, disks__0__image="/dev/sdx", disks__0__in_place=True)], **others}


EXAMPLES: dict[str, list[Example]] = {
    "BOOT": [
        spec({"BOOT": "Ubuntu"}, boot="ubuntu", name="ubuntu"),
        spec({"BOOT": '"debian:trixie"'}, boot="debian:trixie", name="debian-trixie"),
        spec({"BOOT": "/images/My Disk.iso"}, boot="/images/My Disk.iso", name="my-disk"),
        spec({"BOOT": "none"}, boot=None, disks__0__size=64 * GIB),
        note({"BOOT": "https://example.org/a.iso"}, "nothing proves"),
        note({}, "'alpine' boots"),
    ],
    "CHECKSUM": [spec({"BOOT": "https://example.org/a.iso", "CHECKSUM": f"sha256:{'0' * 64}"}, fetch__checksum=f"sha256:{'0' * 64}")],
    "UNVERIFIED": [spec({"BOOT": "https://example.org/a.iso", "UNVERIFIED": "N"}, fetch__unverified=False)],
    "NAME": [spec({"NAME": "box"}, name="box")],
    "SPEC": [spec({"SPEC": "/specs/box.yaml", "CPU_CORES": "3"}, memory=3 * GIB, cpus=3)],
    "BOOT_MODE": [
        spec({"BOOT_MODE": "legacy"}, firmware="bios"),
        spec({"BOOT_MODE": "Secure"}, firmware="uefi-secure"),
        spec({"BOOT_MODE": "windows_secure"}, firmware="uefi-secure", tpm=True, qemu_args=["-rtc", "base=localtime"]),
    ],
    "BOOT_INDEX": [spec({"BOOT_INDEX": "1"}, boot_first="cdrom"), spec({"BOOT_INDEX": "9"}, boot_first="disk")],
    "MEDIA_TYPE": [spec(DISC | {"MEDIA_TYPE": "usb"}, boot_bus="usb"), note(DISC | {"MEDIA_TYPE": "blk"}, "holds no disc")],
    "BIOS": [spec({"BIOS": "/firmware.bin"}, firmware_image="/firmware.bin")],
    "TPM": [spec({"TPM": "Y"}, tpm=True)],
    "SMM": [spec({"SMM": "Y"}, machine_options=["smm=on"])],
    "SECURE": [spec({"SECURE": "Y", "ARCH": "aarch64"}, machine_options=["secure=on"]), note({"SECURE": "Y"}, "no effect on this")],
    "CLEAR": [option({"CLEAR": "Y"}, reset_firmware=True)],
    "SSH_KEY": [spec({"SSH_KEY": "ssh-rsa AAAA a\nssh-rsa BBBB b"}, provision__ssh_keys=["ssh-rsa AAAA a", "ssh-rsa BBBB b"])],
    "PROVISION_USER": [spec({"PROVISION_USER": "me"}, provision__user="me")],
    "PROVISION_PASSWORD": [
        spec({"PROVISION_PASSWORD": "secret"}, provision__password="secret"),
        spec({"PROVISION_PASSWORD_FILE": "/run/secrets/password"}, provision__password="from a file"),
    ],
    "PROVISION_HOSTNAME": [spec({"PROVISION_HOSTNAME": "box"}, provision__hostname="box")],
    "USER_DATA": [spec({"USER_DATA": "/user-data"}, provision__user_data="/user-data")],
    "CPU_CORES": [spec({"CPU_CORES": "4"}, cpus=4), spec({"CPU_CORES": "half"}, cpus="half")],
    "CPU_MODEL": [
        spec({"CPU_MODEL": "Haswell,+avx2"}, cpu_model="Haswell", cpu_flags=["+avx2"]),
        spec({"CPU_MODEL": "host"}, cpu_model=None),
    ],
    "CPU_FLAGS": [spec({"CPU_FLAGS": "+avx2, pmu=off"}, cpu_flags=["+avx2", "pmu=off"])],
    "SMP": [spec({"SMP": "4,sockets=2,cores=2"}, cpus=4, topology={"sockets": 2, "dies": 1, "cores": 2, "threads": 1})],
    "KVM": [spec({"KVM": "N"}, accel="tcg"), spec({"KVM": "Y"}, accel="auto")],
    "ACCEL": [spec({"ACCEL": "kvm"}, accel="kvm")],
    "ARCH": [spec({"ARCH": "arm64"}, arch="arm64")],
    "VMX": [spec({"VMX": "N"}, cpu_flags=["-vmx", "-svm"]), spec({"VMX": "Y"}, cpu_flags=[])],
    "VM": [spec({"VM": "N"}, cpu_flags=["-hypervisor"])],
    "RAM_SIZE": [
        spec({"RAM_SIZE": "4"}, memory=4 * GIB),
        spec({"RAM_SIZE": "512"}, memory=512 * MIB),
        spec({"RAM_SIZE": "1.5 GB"}, memory=1536 * MIB),
        spec({"RAM_SIZE": "max"}, memory="max"),
        spec({}, memory=2 * GIB),
    ],
    "DISK_SIZE": [
        spec(DISC | {"DISK_SIZE": "32G"}, disks__0__size=32 * GIB),
        spec(DISC | {"DISK_SIZE": "20"}, disks__0__size=20 * GIB),
        spec(DISC | {"DISK_SIZE": "max"}, disks__0__size=40 * GIB),
        spec(DISC, disks__0__size=64 * GIB),
    ],
    **{
        f"DISK{number}_SIZE": [spec({f"DISK{number}_SIZE": "8G"}, **{f"disks__{3 if number > 3 else number - 1}__{field}": value})]
        for number in range(2, 7)
        for field, value in [("in_place", True) if number < 4 else ("size", 8 * GIB)]
    },
    **devices(),
    "DISK_FMT": [spec(DISC | {"DISK_FMT": "raw"}, disks__0__format="raw")],
    "DISK_TYPE": [
        spec(DISC | {"DISK_TYPE": "scsi"}, disks__0__bus="virtio-scsi"),
        spec(DISC | {"DISK_TYPE": "ide"}, disks__0__bus="sata"),
        spec(DISC | {"DISK_TYPE": "auto"}, disks__0__bus=None),
    ],
    "DISK_CACHE": [spec({"DISK_CACHE": "unsafe"}, disks__0__cache="unsafe")],
    "DISK_IO": [
        spec({"DISK_IO": "native"}, disks__0__aio="native", disks__0__cache="none"),
        note({"DISK_IO": "native", "DISK_CACHE": "writeback"}, "uncached"),
        spec({"DISK_IO": "io_uring"}, disks__0__aio="io_uring"),
    ],
    "DISK_DISCARD": [spec({"DISK_DISCARD": "ignore"}, disks__0__discard=False)],
    "DISK_ROTATION": [spec({"DISK_ROTATION": "7200"}, disks__0__rotation=7200)],
    "DISK_FLAGS": [spec({"DISK_FLAGS": "cluster_size=2M,compat=1.1"}, disks__0__format_options=["cluster_size=2M", "compat=1.1"])],
    "ALLOCATE": [spec(DISC | {"ALLOCATE": "Y", "DISK_SIZE": "1G"}, disks__0__preallocate=True)],
    "STORAGE": [spec({"STORAGE": "/other"}, boot="alpine")],
    "DISK_NAME": [spec({"DISK_NAME": "box"}, disks__1__image="/storage2/box2.img")],
    "NETWORK": [
        spec({"NETWORK": "nat"}, networks__0__mode="auto", networks__0__forward_all=True),
        spec({"NETWORK": "slirp"}, networks__0__mode="user", networks__0__forward_all=False),
        spec({"NETWORK": "passt"}, networks__0__mode="passt"),
        spec({"NETWORK": "N"}, networks=[]),
    ],
    "DHCP": [spec({"DHCP": "Y"}, networks__0__mode="macvtap", networks__0__ports=[])],
    "IP": [
        spec({"IP": "172.30.0.5"}, networks__0__address="172.30.0.5/24"),
        note({"IP": "172.30.0.5", "NETWORK": "user"}, "cannot be chosen"),
    ],
    "MASK": [spec({"IP": "172.30.0.5", "MASK": "255.255.0.0"}, networks__0__address="172.30.0.5/16")],
    "MAC": [spec({"MAC": "02-11-32-AA-BB-CC"}, networks__0__mac="02:11:32:aa:bb:cc")],
    "MTU": [spec({"MTU": "1400"}, networks__0__mtu=1400)],
    "ADAPTER": [spec({"ADAPTER": "e1000"}, networks__0__model="e1000")],
    "DEV": [spec({"DEV": "eth1", "DHCP": "Y"}, networks__0__interface="eth1"), note({"DEV": "eth1"}, "routes")],
    "HOST_PORTS": [spec({"HOST_PORTS": "22,53/udp"}, networks__0__keep=["22", "53/udp"], networks__0__ports=[])],
    "USER_PORTS": [
        spec(
            {"USER_PORTS": "80/tcp,53/udp"},
            networks__0__ports=["0.0.0.0:80:80", "0.0.0.0:53:53/udp", "0.0.0.0:22:22"],
        ),
        spec({"USER_PORTS": "22"}, networks__0__ports=["0.0.0.0:22:22", "0.0.0.0:22:22/udp"]),
        note({"USER_PORTS": "8006"}, "viewer's"),
    ],
    "PORTS": [
        spec(
            {"PORTS": "8080:80, 127.0.0.1:2222:22/tcp"},
            networks__0__ports=["0.0.0.0:8080:80", "127.0.0.1:2222:22/tcp", "0.0.0.0:22:22"],
        )
    ],
    "DISPLAY": [
        spec({"DISPLAY": "none"}, display__kind="none"),
        spec({"DISPLAY": "disabled"}, viewer__enabled=False),
        spec({"DISPLAY": "spice"}, display__kind="spice", display__spice_port=5930, display__spice_address="0.0.0.0"),
        note({"DISPLAY": "vnc"}, "no port of its own"),
        note({"DISPLAY": "gtk"}, "no desktop"),
    ],
    "SPICE_PORT": [
        spec({"DISPLAY": "spice", "SPICE_PORT": "5901"}, display__spice_port=5901),
        note({"SPICE_PORT": "5901"}, "without SPICE"),
    ],
    "SPICE_TLS": [spec({"DISPLAY": "spice", "SPICE_TLS": "/tls"}, display__spice_tls="/tls")],
    "VGA": [
        spec({"VGA": "std,xres=1280,yres=800"}, display__device="VGA", display__resolution="1280x800"),
        spec({"VGA": "virtio"}, display__device=None),
        spec({"VGA": "none"}, display__kind="none"),
        note({"VGA": "qxl,vgamem_mb=64"}, "no effect"),
    ],
    "RESOLUTION": [spec({"RESOLUTION": "1024x768"}, display__resolution="1024x768")],
    "WEB": [spec({"WEB": "N"}, viewer__enabled=False), spec({}, viewer__enabled=True, viewer__address="0.0.0.0", viewer__port=8006)],
    "WEB_PORT": [spec({"WEB_PORT": "9000"}, viewer__port=9000)],
    "PROTECT": [note({"PROTECT": "N"}, "all the same"), note({"PROTECT": "Y"}, "no password that everybody")],
    "USERNAME": [spec({"USERNAME": "me", "PASSWORD": "x"}, viewer__user="me"), note({"USERNAME": "me"}, "without a password")],
    "PASSWORD": [
        option({"PASSWORD": "secret"}, secrets__password="secret"),
        option({"PASS": "secret"}, secrets__password="secret"),
        spec({"PASSWORD_FILE": "/run/secrets/p"}, viewer__password_file="/run/secrets/p"),
        spec({"PASSWORD": "secret"}, viewer__password_file=None, viewer__open=False),
    ],
    "VIEWER_OPEN": [spec({"VIEWER_OPEN": "Y"}, viewer__open=True), spec({}, viewer__open=False)],
    "VIEWER_NAMES": [spec({"VIEWER_NAMES": "a.example.org,b"}, viewer__names=["a.example.org", "b"])],
    "TOKEN": [option({"TOKEN": SIGNS}, secrets__token=SIGNS), spec({"TOKEN_FILE": "/t"}, viewer__token_file="/t")],
    "VIEW_TOKEN": [
        option({"VIEW_TOKEN": "0123456789abcdef"}, secrets__view_token="0123456789abcdef"),
        spec({"VIEW_TOKEN_FILE": "/t"}, viewer__view_token_file="/t"),
    ],
    "TLS": [spec({"TLS": "Y"}, viewer__tls="generated"), spec({}, viewer__tls="off")],
    "TLS_CERT": [spec({"TLS_CERT": "/c", "TLS_KEY": "/k"}, viewer__tls="files", viewer__tls_certificate="/c")],
    "TLS_KEY": [spec({"TLS_CERT": "/c", "TLS_KEY": "/k"}, viewer__tls_key="/k")],
    "BALLOONING": [spec({"BALLOONING": "Y"}, ballooning__minimum="33%"), spec({"BALLOONING": "N"}, ballooning=None)],
    **{
        f"BALLOONING_{name}": [
            spec({"BALLOONING": "Y", f"BALLOONING_{name}": given}, **{f"ballooning__{field}": value}),
            note({f"BALLOONING_{name}": given}, "without BALLOONING"),
        ]
        for name, given, field, value in [
            ("MIN_MEM", "50%", "minimum", "50%"),
            ("RAM_THRESHOLD", "75.0", "usage", 75),
            ("RAM_THRESHOLD_HARD", "95", "usage_hard", 95),
            ("PSI_PRESSURE", "5.4", "pressure", 5),
            ("PSI_PRESSURE_MAX", "60%", "pressure_hard", 60),
            ("HYSTERESIS", "256M", "hysteresis", 256 * MIB),
            ("INTERVAL", "10", "interval", 10),
        ]
    },
    "MACHINE": [spec({"MACHINE": "pc"}, machine_type="pc")],
    "UUID": [spec({"UUID": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, uuid="6ba7b810-9dad-11d1-80b4-00c04fd430c8")],
    "SM_BIOS": [
        spec({"SM_BIOS": "type=1,serial=1"}, qemu_args=["-smbios", "type=1,serial=1"]),
        spec({"SM_BIOS": "-smbios type=1 -smbios type=2"}, qemu_args=["-smbios", "type=1", "-smbios", "type=2"]),
    ],
    "RNG": [spec({"RNG": "N"}, rng=False)],
    "HPET": [spec({"HPET": "off"}, machine_options=["hpet=off"]), note({"HPET": "on", "ARCH": "aarch64"}, "no effect on this")],
    "VMPORT": [spec({"VMPORT": "auto"}, machine_options=["vmport=auto"])],
    "USB": [spec({"USB": "N"}, display__pointer="none"), note({"USB": "usb-ehci,id=ehci"}, "qemu-xhci")],
    "GPU": [spec({"GPU": "Y"}, display__gpu=True), spec({"GPU": "N"}, display__gpu=False)],
    "RENDERNODE": [
        spec({"GPU": "Y", "RENDERNODE": "/dev/dri/renderD129"}, display__gpu="/dev/dri/renderD129"),
        note({"RENDERNODE": "/dev/dri/renderD129"}, "without GPU"),
    ],
    "MOUSE": [spec({"MOUSE": "usb-mouse"}, display__pointer="mouse")],
    "ARGUMENTS": [spec({"ARGUMENTS": "-device 'edu,id=a' -append \"a b\""}, qemu_args=["-device", "edu,id=a", "-append", "a b"])],
    "SERIAL": [
        spec({"SERIAL": "mon:stdio"}, serial=True, qemu_args=[]),
        spec({"SERIAL": "none"}, serial=False),
        spec({"SERIAL": "/s.sock"}, qemu_args=["-serial", "unix:/s.sock,server=on,wait=off"]),
    ],
    "MONITOR": [
        spec({"MONITOR": "7100"}, qemu_args=["-monitor", "telnet::7100,server=on,wait=off"]),
        note({"MONITOR": "7100"}, "owns the machine"),
    ],
    "QMP": [spec({"QMP": "/q.sock"}, qemu_args=["-qmp", "unix:/q.sock,server=on,wait=off"])],
    "QGA": [
        spec(
            {"QGA": "/g.sock"},
            qemu_args=[
                "-chardev", "socket,id=qga,path=/g.sock,server=on,wait=off", "-device", "virtio-serial",
                "-device", "virtserialport,chardev=qga,name=org.qemu.guest_agent.1",
            ],
        )
    ],
    "SHUTDOWN": [option({"SHUTDOWN": "N"}, timeout=0)],
    "TIMEOUT": [option({"TIMEOUT": "60"}, timeout=60), option({}, timeout=110)],
    "ON_POWEROFF": [option({"ON_POWEROFF": "stop"}, on_poweroff=OnPoweroff.STOP), option({}, on_poweroff=OnPoweroff.EXIT)],
    "DEBUG": [option({"DEBUG": "Y"}, debug=True)],
}  # fmt: skip
