"""The whole table, walked: documents, effects, notes, errors."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.world import facts, layout
from tests.unit.machine.environment.examples import EXAMPLES, FOUND, Example

from quarterdeck.core.images import ImageFile
from quarterdeck.errors import SpecError
from quarterdeck.host.facts import RenderNode
from quarterdeck.machine.assets import LocalAssets
from quarterdeck.machine.compose import compose
from quarterdeck.machine.environment import ContainerWish, read_environment
from quarterdeck.machine.environment.document import document
from quarterdeck.machine.environment.table import TABLE
from quarterdeck.machine.load import spec_to_json
from quarterdeck.machine.resolve import resolve
from quarterdeck.machine.spec import Accel, NetworkMode
from quarterdeck.machine.validate import adapter

PAGE = Path(__file__).parents[4] / "docs" / "container-variables.md"

OLD_IMAGE = [
    "BOOT",
    "CONNECTIONS",
    "CPU_CORES",
    "CPU_MODEL",
    "CPU_FLAGS",
    "SMP",
    "KVM",
    "VMX",
    "HV",
    "VM",
    "RAM_SIZE",
    "RAM_CHECK",
    "DISK_SIZE",
    "DISK2_SIZE",
    "DISK3_SIZE",
    "DISK4_SIZE",
    "DISK5_SIZE",
    "DISK6_SIZE",
    "DISK_FMT",
    "DISK_TYPE",
    "DISK_CACHE",
    "DISK_IO",
    "DISK_DISCARD",
    "DISK_ROTATION",
    "DISK_FLAGS",
    "DISK_OPTIONS",
    "ALLOCATE",
    "STORAGE",
    "DEVICE",
    "DEVICE2",
    "DEVICE3",
    "DEVICE4",
    "DEVICE5",
    "DEVICE6",
    "DISK_NAME",
    "DISK_OFFSET",
    "DISK_MINIMUM",
    "DISK_DISABLE",
    "NETWORK",
    "DHCP",
    "HOST",
    "IP",
    "MAC",
    "MTU",
    "MASK",
    "ADAPTER",
    "DEV",
    "TAP",
    "BRIDGE",
    "HOST_PORTS",
    "USER_PORTS",
    "DNSMASQ_OPTS",
    "DNSMASQ_DEBUG",
    "DNSMASQ_DISABLE",
    "PASST_OPTS",
    "PASST_DEBUG",
    "CHECK_PORT",
    "VM_NET_IP",
    "VM_NET_DEV",
    "VM_NET_MTU",
    "VM_NET_TAP",
    "VM_NET_HOST",
    "VM_NET_MAC",
    "VM_NET_BRIDGE",
    "VM_NET_MASK",
    "DISPLAY",
    "VGA",
    "GPU",
    "RENDERNODE",
    "WEB",
    "WEB_PORT",
    "VNC_PORT",
    "WSS_PORT",
    "WSD_PORT",
    "AUX_PORT",
    "LOSSY",
    "AUDIO",
    "PROTECT",
    "USERNAME",
    "PASSWORD",
    "PASS",
    "MACHINE",
    "PCI_BUS",
    "UUID",
    "SM_BIOS",
    "RNG",
    "HPET",
    "VMPORT",
    "MOUSE",
    "SOUND",
    "ARGUMENTS",
    "BOOT_MODE",
    "BOOT_INDEX",
    "MEDIA_TYPE",
    "USB",
    "BIOS",
    "TPM",
    "SMM",
    "LOGO",
    "CLEAR",
    "BALLOONING",
    "BALLOONING_MIN_MEM",
    "BALLOONING_RAM_THRESHOLD",
    "BALLOONING_RAM_THRESHOLD_HARD",
    "BALLOONING_PSI_PRESSURE",
    "BALLOONING_PSI_PRESSURE_MAX",
    "BALLOONING_HYSTERESIS",
    "BALLOONING_KP",
    "BALLOONING_KI",
    "BALLOONING_INTERVAL",
    "BALLOONING_DEBUG",
    "SHUTDOWN",
    "TIMEOUT",
    "DEBUG",
    "TRACE",
    "SERIAL",
    "MONITOR",
    "QMP",
    "QGA",
    "KBD",
    "CPU_PIN",
    "SECURE",
    "RAM_BACKEND",
]

TRACES = {"UUID": "6ba7b810", "MTU": "1400", "ADAPTER": "e1000", "BIOS": "-bios /firmware.bin", "SMP": "cpus=4"}
"""Words of the command that a variable's example leaves."""

PLAIN = {"BOOT": "mint"}
SAMPLES = {"RAM_BACKEND": "memfd", "CONNECTIONS": "8", "RAM_CHECK": "N"}
"""Values for variables without effect whose kind does not take 'Y'."""


def read(env: dict[str, str]) -> ContainerWish:
    return read_environment(env, FOUND)


def place(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def attribute(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(
    "example", [pytest.param(item, id=f"{name}-{index}") for name, items in EXAMPLES.items() for index, item in enumerate(items)]
)
def test_a_variable_has_the_effect_of_its_example(example: Example) -> None:
    wish = read(example.env)
    plain = adapter().dump_python(wish.spec, mode="json")
    assert {path: place(plain, path) for path in example.spec or {}} == (example.spec or {})
    assert {path: attribute(wish.options, path) for path in example.options or {}} == (example.options or {})
    assert example.note is None or any(example.note in str(note) for note in wish.notes), wish.notes


def test_every_variable_with_an_effect_has_an_example() -> None:
    assert {name for name, variable in TABLE.items() if variable.works} == set(EXAMPLES)


@pytest.mark.parametrize("name", [name for name, variable in TABLE.items() if not variable.works])
def test_a_variable_without_effect_is_answered_with_what_to_use_instead(name: str) -> None:
    variable = TABLE[name]
    value = SAMPLES.get(name, "1234" if name.endswith("_PORT") else "Y")
    for written in (name, *variable.aliases):
        wish = read(PLAIN | {written: value})
        assert [(note.variable, note.instead) for note in wish.notes] == [(written, variable.instead)]
        assert (wish.spec, wish.options) == (read(PLAIN).spec, read(PLAIN).options)
    for quiet in variable.quiet:
        assert read(PLAIN | {name: quiet}).notes == ()


def test_every_variable_of_the_old_images_is_known() -> None:
    known = {word for variable in TABLE.values() if not variable.ours for word in (variable.name, *variable.aliases)}
    assert set(OLD_IMAGE) == known


def test_the_page_has_the_tables_of_the_data() -> None:
    assert document() in PAGE.read_text(encoding="utf-8"), "run scripts/container_variables.py"


@pytest.mark.parametrize("name", TABLE)
def test_an_empty_variable_counts_as_not_given(name: str) -> None:
    assert read(PLAIN | ({name: ' "" '} if name != "BOOT" else {})) == read(PLAIN)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"RAM_SIZE": "lots"}, "RAM_SIZE: must be a size such as 512M or 20G, half or max; it is 'lots'"),
        ({"CPU_CORES": "0"}, "CPU_CORES: must be a number from 1 to 1024, half or max; it is '0'"),
        ({"KVM": "perhaps"}, "KVM: must be Y or N; it is 'perhaps'"),
        ({"DISK_SIZE": "10M"}, "DISK_SIZE: must be at least 100M; it is '10M'"),
        ({"DISK_TYPE": "floppy"}, "DISK_TYPE: must be one of"),
        ({"BOOT_MODE": "bios"}, "BOOT_MODE: must be one of"),
        ({"USER_PORTS": "80,http"}, "USER_PORTS: must be ports such as 22,80/tcp,53/udp; 'http' is none"),
        ({"PORTS": "80"}, "PORTS: '80' is not a port forward; it is '80'"),
        ({"MAC": "02:11"}, "MAC: must be a MAC address"),
        ({"MTU": "9"}, "MTU: must be a whole number from 576 to 65535; it is '9'"),
        ({"IP": "300.1.1.1"}, "IP: '300.1.1.1/24' is no IPv4 address"),
        ({"IP": "172.30.0.4", "MASK": "255.0.255.0"}, "MASK: must be a netmask"),
        ({"VM_NET_MTU": "x"}, "VM_NET_MTU: must be a whole number"),
        ({"SMP": "many"}, "SMP: must be such as 4,sockets=1"),
        ({"SMP": "4,cores=3"}, "SMP: makes 3 CPUs, and 'cpus' says 4"),
        ({"SMP": "4", "CPU_CORES": "2"}, "SMP: says 4 CPUs, and CPU_CORES says 2"),
        ({"KVM": "N", "ACCEL": "kvm"}, "ACCEL: contradicts KVM"),
        ({"DHCP": "Y", "NETWORK": "user"}, "DHCP: contradicts NETWORK=user"),
        ({"MAC": "02:00:00:00:00:01", "VM_NET_MAC": "02:00:00:00:00:02"}, "VM_NET_MAC: contradicts MAC, which is another name of it"),
        ({"HOST_PORTS": "80", "USER_PORTS": "80"}, "USER_PORTS: leads a port to the guest that 'keep' keeps from it"),
        ({"PORTS": "80:80,80:81"}, "PORTS: takes a host port that"),
        ({"PORTS": "8006:80"}, "PORTS: takes port 8006, where the viewer listens"),
        ({"BIOS": "/f", "BOOT_MODE": "legacy"}, "BOOT_MODE: contradicts BIOS"),
        ({"BOOT_MODE": "custom"}, "BOOT_MODE: 'custom' needs BIOS"),
        ({"ARGUMENTS": "-name 'x"}, "ARGUMENTS: has a quote without its other half"),
        ({"QGA": "tcp:1.2.3.4:5"}, "QGA: must be the path of a socket"),
        ({"NAME": "No Good"}, "NAME: must be lower-case letters"),
        ({"ARCH": "vax"}, "ARCH: there is no architecture 'vax'"),
        ({"SPEC": "/nowhere.yaml"}, "SPEC: there is no file /nowhere.yaml"),
        ({"DEVICE": "/dev/nothing"}, "DEVICE: must be a block device in the container; it is '/dev/nothing'"),
        ({"PASSWORD": "a", "PASSWORD_FILE": "/p"}, "PASSWORD: contradicts PASSWORD_FILE"),
        ({"PASSWORD_FILE": "p"}, "PASSWORD_FILE: must be an absolute path"),
        ({"PROVISION_PASSWORD_FILE": "/none"}, "PROVISION_PASSWORD_FILE: there is no password in /none"),
        ({"VIEWER_OPEN": "Y", "PASSWORD": "a"}, "VIEWER_OPEN: contradicts"),
        ({"TOKEN": "short"}, "TOKEN: must be 16 signs or more without spaces"),
        ({"TLS_CERT": "/c"}, "TLS_CERT: needs its other half"),
        ({"TLS": "files"}, "TLS: 'files' needs TLS_CERT and TLS_KEY"),
        ({"USB": "N", "MOUSE": "usb-mouse"}, "USB: is off, and MOUSE needs it"),
        ({"CPU_FLAGS": "+avx2,!"}, "CPU_FLAGS: must match"),
        ({"DISK_FLAGS": "x"}, "DISK_FLAGS: must be KEY=VALUE"),
    ],
)
def test_values_that_make_no_sense_are_refused_by_name(env: dict[str, str], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(PLAIN | env)
    assert any(words in str(problem) for problem in caught.value.problems), caught.value.problems


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        read({"RAM_SIZE": "x", "CPU_CORES": "y", "NETWORK": "z", "BOOT": "mint"})
    assert [problem.place for problem in caught.value.problems] == ["CPU_CORES", "NETWORK", "RAM_SIZE"]


WORDS = st.sampled_from(
    [
        "",
        "Y",
        "N",
        "0",
        "1",
        "22",
        "max",
        "half",
        "none",
        "1,2=3",
        "/",
        "/x",
        "a:b:c",
        "64G",
        "-1",
        "\0",
        "'",
        "é\n",
        "http://x/.iso",
        "http://[x",
        "." * 300,
    ]
)


@given(
    st.dictionaries(st.sampled_from([*TABLE, "PASSWORD_FILE", "PROVISION_PASSWORD_FILE", "VM_NET_IP", "PASS"]), WORDS | st.text(max_size=9))
)
def test_whatever_is_given_is_understood_or_refused(env: dict[str, str]) -> None:
    with suppress(SpecError):
        assert read(env).spec.name


def test_secrets_are_in_no_message() -> None:
    wish = read(PLAIN | {"PASSWORD": "hunter2"})
    assert "hunter2" not in repr(wish)
    assert "hunter2" not in spec_to_json(wish.spec)
    with pytest.raises(SpecError) as caught:
        read(PLAIN | {"PROVISION_PASSWORD": "hunter2\0"})
    assert "hunter2" not in str(caught.value.reason)


@pytest.mark.parametrize(
    ("name", "meant"), [("RAMSIZE", "RAM_SIZE"), ("DISK_SIZ", "DISK_SIZE"), ("USER_PORT", "USER_PORTS"), ("CPU_CORE", "CPU_CORES")]
)
def test_a_slip_is_answered_with_what_was_meant(name: str, meant: str) -> None:
    assert [(note.variable, note.instead) for note in read(PLAIN | {name: "1"}).notes] == [(name, f"did you mean {meant}?")]


def test_variables_of_others_are_left_alone() -> None:
    others = [
        "PATH",
        "HOME",
        "HOSTNAME",
        "TERM",
        "LANG",
        "TZ",
        "UID",
        "GID",
        "container",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_PORT",
        "QUARTERDECK_HOME",
        "PYTHONPATH",
        "SHLVL",
    ]
    assert read(PLAIN | dict.fromkeys(others, "x")) == read(PLAIN)


@pytest.mark.parametrize(
    "example", [pytest.param(item, id=f"{name}-{index}") for name, items in EXAMPLES.items() for index, item in enumerate(items)]
)
def test_what_a_variable_comes_to_can_be_resolved_and_composed(example: Example) -> None:
    wanted = read(example.env).spec
    images = [*(disk.image for disk in wanted.disks), *(drive.image for drive in wanted.cdroms)]
    named = tuple((image, ImageFile(image, "raw", 1 << 30)) for image in images if image is not None)
    found = LocalAssets(boot_iso=ImageFile("/images/boot.iso", "raw", 1 << 30) if wanted.boot else None, images=named)
    macvtap = any(card.mode is NetworkMode.MACVTAP for card in wanted.networks)
    host = facts("kvm" if wanted.accel is Accel.KVM else "network-macvtap" if macvtap else "plain", wanted)
    gpus = (RenderNode("/dev/dri/renderD128"), RenderNode("/dev/dri/renderD129"))
    host = replace(host, render_nodes=gpus)
    text = " ".join(compose(resolve(wanted, host, found, layout("box"))).argv)
    assert [word for word in TRACES if word in example.env and TRACES[word] not in text] == []
