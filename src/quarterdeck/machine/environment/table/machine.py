"""Processor, memory, and what else the machine is made of."""

from quarterdeck.machine.environment.kinds import CORES, FLAG, MEMORY, PERCENT, SHARE, SIZE, TEXT, choice, matching, whole
from quarterdeck.machine.environment.variable import Variable

_NO = ("n", "no", "off", "0", "false")
_YES = ("y", "yes", "on", "1", "true")

PROCESSOR = (
    Variable(name="CPU_CORES", kind=CORES, default="`2`", what="Number of CPUs."),
    Variable(name="CPU_MODEL", kind=TEXT, what="QEMU's CPU model. `host` means the fullest one where there is no KVM.", default="`host`"),
    Variable(name="CPU_FLAGS", kind=TEXT, what="Flags added to the model, with commas: `+avx2,-svm`."),
    Variable(name="SMP", kind=TEXT, what="Topology in QEMU's words, such as `4,sockets=1,cores=2,threads=2`.", default="QEMU's"),
    Variable(
        name="KVM", kind=FLAG, default="`Y`", what="`N` emulates. Without a KVM that works the guest is emulated too, and the log says why."
    ),
    Variable(
        name="ACCEL",
        kind=choice("auto", "kvm", "tcg"),
        default="`auto`",
        what="`kvm` ends with an error where KVM does not work.",
        ours=True,
    ),
    Variable(name="ARCH", kind=TEXT, default="this host's", what="Architecture of the guest, such as `aarch64`.", ours=True),
    Variable(name="VMX", kind=FLAG, default="`Y`", what="`N` hides virtualisation from the guest."),
    Variable(name="VM", kind=FLAG, default="`Y`", what="`N` hides from the guest that it is one."),
    Variable(
        name="HV",
        kind=FLAG,
        what="The CPU has no Hyper-V enlightenments, which help Windows guests under KVM",
        instead="set CPU_FLAGS=hv_passthrough",
        quiet=_NO,
    ),
    Variable(
        name="CPU_PIN",
        kind=TEXT,
        what="The machine runs on the CPUs that the container has",
        instead="use docker run --cpuset-cpus",
        quiet=_NO,
    ),
    Variable(name="RAM_SIZE", kind=MEMORY, default="`2G`", what="Memory. A number alone is in GiB below 130, else in MiB."),
    Variable(
        name="RAM_CHECK",
        kind=FLAG,
        what="More memory than the container may have is always refused",
        instead="set RAM_SIZE=max for what there is",
        quiet=_YES,
    ),
    Variable(name="RAM_BACKEND", kind=choice("memfd"), what="Memory is shared where a folder needs it", instead="leave it out"),
)

SYSTEM = (
    Variable(name="MACHINE", kind=TEXT, what="QEMU's machine type.", default="`q35`, `virt`"),
    Variable(name="PCI_BUS", kind=TEXT, what="Devices know the bus of their machine type", instead="leave it out", quiet=("pcie.0",)),
    Variable(
        name="UUID",
        kind=matching(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID"),
        what="The machine's UUID.",
        default="made from its name",
    ),
    Variable(name="SM_BIOS", kind=TEXT, what="Arguments of QEMU's `-smbios`."),
    Variable(name="RNG", kind=FLAG, default="`Y`", what="A source of random numbers."),
    Variable(name="HPET", kind=FLAG, what="The HPET timer of a PC.", default="QEMU's"),
    Variable(name="VMPORT", kind=choice("on", "off", "auto", "y", "n"), what="The VMware port of a PC.", default="QEMU's"),
    Variable(
        name="USB", kind=TEXT, default="`qemu-xhci`", what="`N` leaves USB out. The controller is always qemu-xhci; others are answered."
    ),
    Variable(
        name="MOUSE",
        kind=choice("usb-tablet", "usb-mouse", "tablet", "mouse", "none", "n"),
        default="`usb-tablet`",
        what="What moves the pointer.",
    ),
    Variable(name="KBD", kind=TEXT, what="The keyboard that fits the machine is plugged in", instead="leave it out", quiet=("usb-kbd",)),
    Variable(
        name="SOUND",
        kind=TEXT,
        what="There is no sound in the viewer",
        instead="add a device with ARGUMENTS, such as '-audiodev none,id=a -device intel-hda -device hda-output,audiodev=a'",
    ),
    Variable(name="ARGUMENTS", kind=TEXT, what="Further arguments for QEMU, quoted as in a shell."),
    Variable(name="SERIAL", kind=TEXT, default="`mon:stdio`", what="`none` leaves the serial console out; others add a second port."),
    Variable(name="MONITOR", kind=TEXT, what="A monitor in QEMU's words, `/path.sock` or a port. Whoever reaches it owns the machine."),
    Variable(name="QMP", kind=TEXT, what="A QMP monitor, as `MONITOR`."),
    Variable(name="QGA", kind=TEXT, what="A second channel for the guest agent, as `MONITOR`. `qd agent` needs none."),
)


BALLOON = (
    Variable(
        name="BALLOONING",
        kind=FLAG,
        default="`N`",
        what="Take memory from the guest while the container is short of it. Unused pages go back to the host without it, too.",
    ),
    Variable(name="BALLOONING_MIN_MEM", kind=SHARE, default="`33%`", what="What the guest always keeps: a share of its memory, or a size."),
    Variable(name="BALLOONING_RAM_THRESHOLD", kind=PERCENT, default="`80`", what="Memory in use, in percent, above which it gives back."),
    Variable(name="BALLOONING_RAM_THRESHOLD_HARD", kind=PERCENT, default="`90`", what="The same, down to the minimum."),
    Variable(
        name="BALLOONING_PSI_PRESSURE",
        kind=PERCENT,
        default="`10`",
        what="Time lost by waiting for memory, in percent, above which it gives back.",
    ),
    Variable(name="BALLOONING_PSI_PRESSURE_MAX", kind=PERCENT, default="`50`", what="The same, down to the minimum."),
    Variable(name="BALLOONING_HYSTERESIS", kind=SIZE, default="`128M`", what="Room that must be left before the guest gets memory again."),
    Variable(name="BALLOONING_INTERVAL", kind=whole(1, 3600), default="`5`", what="Seconds between two looks."),
    Variable(name="BALLOONING_KP", kind=TEXT, what="The controller has no gains to set", instead="leave it out", quiet=("0.5",)),
    Variable(name="BALLOONING_KI", kind=TEXT, what="The controller has no gains to set", instead="leave it out", quiet=("0.05",)),
    Variable(name="BALLOONING_DEBUG", kind=FLAG, what="The log says what is taken and given", instead="leave it out", quiet=_NO),
)
