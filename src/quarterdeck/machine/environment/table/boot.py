"""What boots, and how it is set up."""

from quarterdeck.machine.environment.kinds import FLAG, PATH, TEXT, choice, matching, whole
from quarterdeck.machine.environment.variable import Variable

_MODES = ("uefi", "secure", "legacy", "windows", "windows_plain", "windows_secure", "windows_legacy", "custom")
_BUSES = ("ide", "sata", "nvme", "usb", "scsi", "virtio-scsi", "blk", "virtio-blk", "auto", "none")

VARIABLES = (
    Variable(
        name="BOOT",
        kind=TEXT,
        default="`alpine`",
        what="A name that `qd catalogue ls` lists, the URL of an image, a path, or `none`. Mounted `/boot.*` and disks with data go first.",
    ),
    Variable(
        name="CHECKSUM",
        kind=matching(r"[A-Za-z0-9-]{2,10}[:=][0-9A-Fa-f]{32,128}", "ALGORITHM:VALUE, such as sha256:..."),
        what="What the image of a URL must be.",
        ours=True,
    ),
    Variable(
        name="UNVERIFIED",
        kind=FLAG,
        default="`Y` for a URL",
        what="Take an image that neither a checksum nor a signature proves. The log says when that happened.",
        ours=True,
    ),
    Variable(
        name="CONNECTIONS",
        kind=whole(1, 16),
        what="Downloads choose the number of their connections",
        instead="leave it out",
        quiet=("4",),
    ),
    Variable(name="NAME", kind=TEXT, what="What the machine is called. Each name has disks of its own.", default="what boots", ours=True),
    Variable(name="SPEC", kind=PATH, what="A [spec](spec.md) in YAML; variables are laid over it.", default="`/machine.yaml`", ours=True),
    Variable(
        name="BOOT_MODE",
        kind=choice(*_MODES),
        what="`uefi`, `secure` (UEFI with Secure Boot) or `legacy` (BIOS). "
        "The `windows` modes also keep the clock in local time; `windows_secure` adds a TPM.",
    ),
    Variable(name="BOOT_INDEX", kind=whole(0, 999), default="`9`", what="Below 3 the disc boots before the disk."),
    Variable(name="MEDIA_TYPE", kind=choice(*_BUSES), what="Where the disc is plugged in: `sata` (`ide`), `usb` or `scsi`."),
    Variable(name="BIOS", kind=PATH, what="A file of firmware that takes the place of all others."),
    Variable(name="TPM", kind=FLAG, default="`N`", what="A TPM 2.0, also for arm64. State of the old image is carried over."),
    Variable(name="SMM", kind=FLAG, default="`N`", what="System management mode; `BOOT_MODE=secure` brings it."),
    Variable(name="SECURE", kind=FLAG, default="`N`", what="The secure world of arm64 machines."),
    Variable(name="LOGO", kind=FLAG, what="The firmware shows its own logo", instead="leave it out", quiet=("n", "no", "off", "0")),
    Variable(name="CLEAR", kind=FLAG, default="`N`", what="Forget the UEFI variables before this start. The TPM's state stays."),
    Variable(
        name="SSH_KEY",
        kind=TEXT,
        aliases=("SSH_KEYS",),
        what="Public keys, one a line, or the path of a file with some. For images with cloud-init or Ignition, as all of this group that "
        "follows.",
        ours=True,
    ),
    Variable(name="PROVISION_USER", kind=TEXT, what="The login that the first boot makes.", default="the image's", ours=True),
    Variable(name="PROVISION_PASSWORD", kind=TEXT, secret=True, what="Its password.", default="a generated one", ours=True),
    Variable(name="PROVISION_HOSTNAME", kind=TEXT, what="The guest's host name.", default="the machine's name", ours=True),
    Variable(name="USER_DATA", kind=PATH, what="A file with cloud-init's user-data, or an Ignition config.", ours=True),
)
