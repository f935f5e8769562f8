"""The files that make a plain Debian installation a good guest. docs/reference/debian-guest.md tells users about each."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.media.debian.overlay import OverlayFile

_BOOT = "/boot/efi"

_INITRAMFS_CONF = """\
# The modules come from the hook 'quarterdeck', so that the same image boots on every hypervisor.
MODULES=list
COMPRESS=zstd
RESUME=none
"""

_MODULES = """\
ahci ata_generic ata_piix pata_macio sd_mod sr_mod isofs usb_storage uas nvme mmc_block sdhci_pci
virtio_pci virtio_mmio virtio_ccw virtio_blk virtio_scsi virtio_console
vmw_pvscsi mptspi mptsas mpt3sas megaraid_sas BusLogic sym53c8xx am53c974 ibmvscsi
hv_vmbus hv_storvsc xen_blkfront
xhci_pci ehci_pci ohci_pci uhci_hcd usbhid hid_generic atkbd i8042
ext4 crc32c_generic crc32c
"""

_INITRAMFS_HOOK = f"""\
#!/bin/sh
# Adds the drivers of the disks that hypervisors offer. They are there, but only those are loaded that the machine has.
[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules {" ".join(_MODULES.split())}
"""

_DPKG = """\
path-exclude=/usr/share/man/*
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
"""

_NETWORK = """\
[Match]
Type=ether
Kind=!*

[Network]
DHCP=ipv4

[DHCPv4]
ClientIdentifier=mac
UseDomains=yes
"""

_REPART = """\
# The root partition grows to the end of the disk at each boot.
[Partition]
Type=linux-generic
"""

_CLOUD = """\
# Seeds come as a disc labelled cidata (NoCloud); nothing else is looked for, so nothing is waited for.
datasource_list: [NoCloud, None]
network: {config: disabled}
ssh_genkeytypes: [ed25519, ecdsa]
cloud_init_modules:
 - seed_random
 - bootcmd
 - write-files
 - set_hostname
 - update_hostname
 - update_etc_hosts
 - users-groups
 - ssh
 - set-passwords
cloud_config_modules:
 - mounts
 - locale
 - timezone
 - ntp
 - runcmd
cloud_final_modules:
 - package-update-upgrade-install
 - write-files-deferred
 - scripts-per-once
 - scripts-per-boot
 - scripts-per-instance
 - scripts-user
 - final-message
 - power-state-change
"""

_AGENT_EARLY = """\
# The agent answers as soon as the disk is there, and does not wait for the first boot's work.
[Unit]
DefaultDependencies=no
After=local-fs.target
Conflicts=shutdown.target
Before=shutdown.target

[Service]
# While a guest shuts down just after its boot, the agent was seen to ignore SIGTERM until the usual 90 seconds were over.
TimeoutStopSec=5
"""

_CLOUD_MAIN = """\
# While the guest starts, what finds its devices comes before Python.
[Service]
StartupCPUWeight=20
"""

_CLOUD_LOCAL = """\
# The disc with the seed must have been found by the kernel; else the first boot would go without it.
[Unit]
Wants=systemd-udev-trigger.service
After=systemd-udev-trigger.service

[Service]
ExecStartPre=-/usr/bin/udevadm settle --timeout=60
"""

_CLOUD_FINAL = """\
# Packages need the network, nothing else waits for it.
[Service]
ExecStartPre=-/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=30
"""

_HOSTS = """\
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
"""

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# The seed of systemd-boot would mount the boot partition at each start; the guest has a virtio random number generator.
_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service", "systemd-boot-random-seed.service")


@dataclass(frozen=True)
class Sources:
    """Where the guest's apt finds packages: URLs (``security`` may be empty) and the suite."""

    main: str
    security: str
    suite: str


def early(cmdline: str, entry_token: str) -> tuple[OverlayFile, ...]:
    """Return the files that must be there before packages are installed; ``cmdline`` is for the boot loader's entries."""
    system = "/etc/systemd/system"
    return (
        OverlayFile("/etc/initramfs-tools/conf.d/quarterdeck", _INITRAMFS_CONF),
        OverlayFile("/etc/initramfs-tools/hooks/quarterdeck", _INITRAMFS_HOOK, 0o755),
        OverlayFile("/etc/kernel/cmdline", f"{cmdline}\n"),
        OverlayFile("/etc/kernel/entry-token", f"{entry_token}\n"),
        OverlayFile("/etc/kernel/install.conf", f"layout=bls\nBOOT_ROOT={_BOOT}\n"),
        OverlayFile("/etc/dpkg/dpkg.cfg.d/quarterdeck", _DPKG),
        OverlayFile("/etc/cloud/cloud.cfg.d/90_quarterdeck.cfg", _CLOUD),
        OverlayFile("/etc/systemd/network/80-dhcp.network", _NETWORK),
        OverlayFile("/etc/repart.d/50-root.conf", _REPART),
        OverlayFile(f"{system}/qemu-guest-agent.service.d/early.conf", _AGENT_EARLY),
        OverlayFile(f"{system}/cloud-init-main.service.d/startup.conf", _CLOUD_MAIN),
        OverlayFile(f"{system}/cloud-init-local.service.d/seed.conf", _CLOUD_LOCAL),
        OverlayFile(f"{system}/cloud-final.service.d/network.conf", _CLOUD_FINAL),
        OverlayFile(f"{system}/multi-user.target.wants/systemd-networkd.service", link="/usr/lib/systemd/system/systemd-networkd.service"),
        *(OverlayFile(f"{system}/{unit}", link="/dev/null") for unit in _MASKED),
    )


def late(sources: Sources, *, root: str, esp: str) -> tuple[OverlayFile, ...]:
    """Return the files that are laid over the installed system; ``root`` is a UUID, ``esp`` a FAT serial number or empty.

    The machine's id is empty, not absent: systemd makes one at the first boot without asking its first-boot questions,
    machine-id(5).
    """
    return (
        OverlayFile("/etc/machine-id", mode=0o444),
        OverlayFile("/etc/hostname", "debian\n"),
        OverlayFile("/etc/hosts", _HOSTS),
        OverlayFile("/etc/default/locale", "LANG=C.UTF-8\n"),
        OverlayFile("/etc/locale.conf", "LANG=C.UTF-8\n"),
        OverlayFile("/etc/resolv.conf", link="../run/systemd/resolve/stub-resolv.conf"),
        OverlayFile("/etc/fstab", _fstab(root, esp)),
        OverlayFile("/etc/apt/sources.list.d/debian.sources", _sources(sources)),
    )


def _fstab(root: str, esp: str) -> str:
    text = f"UUID={root} / ext4 rw,x-systemd.growfs 0 1\n"
    if esp:
        text += f"UUID={esp[:4]}-{esp[4:]} {_BOOT} vfat umask=0077,nofail,x-systemd.automount,x-systemd.idle-timeout=60 0 0\n"
    return text


def _sources(sources: Sources) -> str:
    """deb822 style, sources.list(5). sid has neither updates nor a security archive."""
    suites = sources.suite if sources.suite == "sid" else f"{sources.suite} {sources.suite}-updates"
    text = _stanza(sources.main, suites)
    if sources.security and sources.suite != "sid":
        text += "\n" + _stanza(sources.security, f"{sources.suite}-security")
    return text


def _stanza(url: str, suites: str) -> str:
    return f"Types: deb\nURIs: {url}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n"
