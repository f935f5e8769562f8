"""Fields that contradict each other."""

import pytest

from quarterdeck.errors import SpecError
from quarterdeck.machine.load import load_spec


def said(text: str) -> list[str]:
    try:
        load_spec(text, "x")
    except SpecError as error:
        return [f"{problem.place}: {problem.message}" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arch: pdp11", "arch: there is no architecture 'pdp11'"),
        ("arch: hexagon", "arch: QEMU has no whole machine for 'hexagon'"),
        ("memory: 2048", "memory: 2048 bytes is too little"),
        ("disks: [{size: 20}]", "disks[0].size: 20 bytes is too little"),
        ("disks: [{in_place: true}]", "disks[0].in_place: needs 'image': the file to write to"),
        ("disks: [{image: a, in_place: true, size: 1G}]", "disks[0].size: an image that is used in place keeps its size"),
        (
            "boot: x\ndisks: [{}, {image: a, in_place: true, read_only: true}]",
            "disks[1].read_only: contradicts 'in_place', which writes to the image",
        ),
        ("disks: [{size: 1G}, {size: 1G, read_only: true}]", "disks[1].read_only: a new, empty disk must be writable"),
        (
            "disks: [{image: a, read_only: true}]",
            "disks[0].read_only: the machine boots from its first disk and must be able to write to it",
        ),
        ("disks: [{image: a, format: raw}]", "disks[0].format: is for new disks; an overlay on an image is always qcow2"),
        ("disks: [{aio: native}]", "disks[0].aio: 'native' needs the cache 'none' or 'directsync'"),
        ("cpus: 4\ntopology: {cores: 3}", "topology: makes 3 CPUs, and 'cpus' says 4"),
        ("cpus: max\ntopology: {cores: 2}", "topology: makes 2 CPUs, and 'cpus' says max"),
        ("firmware: bios\nfirmware_image: /f", "firmware: contradicts 'firmware_image', which takes its place"),
        ("firmware: bios\nfirmware_variables: /f", "firmware_variables: are for UEFI"),
        ("tpm_state: /f", "tpm_state: is for a TPM"),
        ("boot_bus: nvme", "boot_bus: an optical drive cannot be on 'nvme'"),
        ("disks: [{}, {}]", "disks[1]: needs 'size' or 'image'"),
        ("cdroms: [{bus: nvme}]", "cdroms[0].bus: an optical drive cannot be on 'nvme'"),
        (
            "boot: b\ndisks: [{}, {image: a, in_place: true}, {image: ./a}]",
            "disks[2].image: is written in place by disks[1] or here, and used twice",
        ),
        (
            "disks: [{image: a, in_place: true}]\ncdroms: [{image: a}]",
            "cdroms[0].image: is written in place by disks[0] or here, and used twice",
        ),
        ("boot: ./a\ndisks: [{image: a, in_place: true}]", "disks[0].image: is written in place and also what 'boot' names"),
        ("networks: [{mode: bridge}]", "networks[0].interface: is required for 'bridge': the name of the bridge"),
        ("networks: [{interface: x}]", "networks[0].interface: is for 'tap', 'bridge' and 'macvtap', not for 'auto'"),
        (
            "networks: [{mode: tap, interface: 0123456789abcdef}]",
            "networks[0].interface: is not the name of a network interface: at most 15 characters, no space, no '/'",
        ),
        (
            "networks: [{mode: tap, interface: t, ports: ['1:1']}]",
            "networks[0].ports: cannot be forwarded with a tap device that exists already: the guest has an address of its own there",
        ),
        ("networks: [{mac: '01:00:00:00:00:00'}]", "networks[0].mac: is a multicast address"),
        ("networks: [{ports: [x]}]", "networks[0].ports[0]: 'x' is not a port forward"),
        ("networks: [{mode: user, ports: ['[::1]:1:1']}]", "networks[0].ports[0]: QEMU's user network forwards from IPv4 addresses only"),
        ("networks: [{ports: ['80:1', '0.0.0.0:79-81:1-3']}]", "networks[0].ports[1]: takes a host port that '80:1' takes already"),
        (
            "networks: [{ports: ['80:1']}, {mode: passt, ports: ['80:2']}]",
            "networks[1].ports[0]: takes a host port that '80:1' takes already",
        ),
        (
            "networks: [{mode: macvtap, ports: ['1:1']}]",
            "networks[0].ports: cannot be forwarded with 'macvtap': the guest has an address of its own there",
        ),
        (
            "networks: [{forward_all: true}, {forward_all: true}]",
            "networks[1].forward_all: every port leads to networks[0] already",
        ),
        ("networks: [{keep: ['22']}]", "networks[0].keep: excepts ports from 'forward_all', which is not set"),
        ("networks: [{forward_all: true, keep: ['5-3']}]", "networks[0].keep[0]: '5-3' is not a range of ports between 1 and 65535"),
        ("networks: [{forward_all: true, keep: [ssh]}]", "networks[0].keep[0]: 'ssh' names no ports"),
        (
            "networks: [{forward_all: true, keep: [20-30/tcp], ports: ['29-31:29-31']}]",
            "networks[0].ports[0]: leads a port to the guest that 'keep' keeps from it",
        ),
        ("networks: [{address: 10.0.0.9}]", "networks[0].address: needs the length of its prefix, 16 to 30"),
        ("networks: [{address: 10.0.0.0/24}]", "networks[0].address: 10.0.0.0 is the address of the whole network, or of all in it"),
        ("networks: [{address: here}]", "networks[0].address: 'here' is no IPv4 address"),
        ("networks: [{mode: passt, address: 10.0.0.9/24}]", "networks[0].address: can be chosen in a tap network of our own only"),
        (
            "viewer: {port: 8100}\nnetworks: [{ports: ['0.0.0.0:8099-8101:1-3']}]",
            "networks[0].ports[0]: takes port 8100, where the viewer listens",
        ),
        ("networks: [{mac: '52:00:00:00:00:01'}, {mac: '52:00:00:00:00:01'}]", "networks[1].mac: is the same as that of networks[0]"),
        ("shares: [{path: /a}, {path: /b}]", "shares[1].tag: is the same as that of shares[0]"),
        ("disks: [{serial: A}, {size: 1G, serial: A}]", "disks[1].serial: is the same as that of disks[0]"),
        ("usb: [{}]", "usb[0]: needs 'vendor' and 'product', or 'bus' and 'port'"),
        ("usb: [{vendor: 1}]", "usb[0]: needs both 'vendor' and 'product'"),
        ("usb: [{vendor: 1, product: 1, bus: 1}]", "usb[0]: needs both 'bus' and 'port'"),
        ("display: {kind: none, resolution: 800x600}", "display.resolution: there is no screen with the kind 'none'"),
        ("display: {kind: none, device: VGA}", "display.device: there is no screen with the kind 'none'"),
        ("display: {kind: none, gpu: true}", "display.gpu: needs a screen, and chooses its device itself"),
        ("display: {device: VGA, gpu: /dev/dri/renderD128}", "display.gpu: needs a screen, and chooses its device itself"),
        ("balloon: false\nballooning: {}", "ballooning: needs the balloon"),
        ("memory: 1G\nballooning: {minimum: 2G}", "ballooning.minimum: is more than 'memory'"),
        ("ballooning: {usage: 95}", "ballooning.usage_hard: must be more than 'usage'"),
        ('qemu_args: ["a\\0"]', "qemu_args[0]: must not hold a NUL character"),
    ],
)
def test_a_contradiction_is_found_at_its_place(text: str, expected: str) -> None:
    assert said(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "boot: x\ndisks: [{}, {image: a}, {image: a}]",
        "boot: x.iso\ndisks: [{image: a, read_only: true}]",
        "networks: [{ports: ['80:80', '80:80/udp', '127.0.0.2:80:80']}]",
        "networks: [{mode: passt, ports: ['[::1]:80:80']}]",
        "usb: [{vendor: 1, product: 1, bus: 1, port: '1'}]",
        "disks: [{cache: directsync, aio: native}]",
    ],
)
def test_what_makes_sense_is_accepted(text: str) -> None:
    assert said(text) == []


def test_the_line_of_a_contradiction_is_known() -> None:
    with pytest.raises(SpecError) as caught:
        load_spec("boot: x\nnetworks:\n  - mode: bridge\n", "x")
    assert caught.value.problems[0].line == 3
