"""Disks and folders."""

from quarterdeck.machine.environment.kinds import DISK, FLAG, PATH, TEXT, choice, matching, whole
from quarterdeck.machine.environment.variable import Variable

_BUSES = ("ide", "sata", "nvme", "usb", "scsi", "virtio-scsi", "blk", "virtio-blk", "auto", "none")


def _size(number: int) -> Variable:
    what = f"A disk in `/storage{number}`, or with the machine where that folder is not mounted."
    return Variable(name=f"DISK{number}_SIZE", kind=DISK, what=what, default="`64G` where the folder is mounted")


def _device(number: int) -> Variable:
    name = "" if number == 1 else str(number)
    what = f"A block device as disk {number}; `/disk{number}` is found by itself."
    return Variable(name=f"DEVICE{name}", kind=PATH, what=what)


VARIABLES = (
    Variable(
        name="DISK_SIZE", kind=DISK, default="`64G`", what="Size of the first disk, which takes space as it is filled. It only grows."
    ),
    *(_size(number) for number in range(2, 7)),
    *(_device(number) for number in range(1, 7)),
    Variable(
        name="DISK_FMT", kind=choice("raw", "qcow2"), default="`qcow2`", what="Format of new, empty disks. Existing ones keep theirs."
    ),
    Variable(
        name="DISK_TYPE",
        kind=choice(*_BUSES),
        what="Where disks are plugged in: `blk`, `scsi`, `nvme`, `sata` (`ide`) or `usb`.",
        default="`blk`; `scsi` for disks of the old image",
    ),
    Variable(
        name="DISK_CACHE",
        kind=choice("none", "writeback", "writethrough", "directsync", "unsafe"),
        default="`writeback`",
        what="QEMU's cache mode.",
    ),
    Variable(
        name="DISK_IO",
        kind=choice("native", "threads", "io_uring"),
        what="How files are read and written; `native` needs an uncached mode.",
        default="`threads`",
    ),
    Variable(name="DISK_DISCARD", kind=choice("unmap", "on", "ignore", "off", "y", "n"), default="`unmap`", what="Give freed blocks back."),
    Variable(name="DISK_ROTATION", kind=whole(0, 65534), what="Rotation rate that the guest sees: 1 is an SSD. For `scsi` and `sata`."),
    Variable(
        name="DISK_FLAGS",
        kind=matching(r"[a-z_]+=[A-Za-z0-9_.-]+(,[a-z_]+=[A-Za-z0-9_.-]+)*", "KEY=VALUE, several with commas"),
        what="qemu-img's options for new, empty disks.",
    ),
    Variable(
        name="DISK_OPTIONS",
        kind=TEXT,
        what="Disk devices have no further options here",
        instead="set ARGUMENTS='-global DRIVER.PROPERTY=VALUE'",
    ),
    Variable(name="ALLOCATE", kind=FLAG, default="`N`", what="Take the space of new, empty disks at once."),
    Variable(name="STORAGE", kind=PATH, default="`/storage`", what="Where folders of the old image are looked for."),
    Variable(
        name="DISK_NAME",
        kind=matching(r"[A-Za-z0-9._-]{1,64}", "letters, digits, '.', '_' or '-'"),
        default="`data`",
        what="What the old image's disk files are called.",
    ),
    Variable(
        name="DISK_OFFSET", kind=TEXT, what="It is for images that are derived from the old one", instead="leave it out", quiet=("0",)
    ),
    Variable(
        name="DISK_MINIMUM", kind=TEXT, what="It is for images that are derived from the old one", instead="leave it out", quiet=("100m",)
    ),
    Variable(
        name="DISK_DISABLE",
        kind=FLAG,
        what="What boots always gets a disk",
        instead="leave the disk empty: it takes no space",
        quiet=("n", "no", "off", "0"),
    ),
)
