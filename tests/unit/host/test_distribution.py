import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.core.arch import find_arch
from quarterdeck.host.distribution import distribution, emulator_package, install_hint, tool_package
from quarterdeck.host.tools import TOOLS

DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
DEBIAN_13 = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'
TESTING = "ID=debian\n"
FEDORA = "ID=fedora\nVERSION_ID=42\n"
UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n'


@pytest.mark.parametrize(
    ("text", "package"),
    [(DEBIAN_12, "qemu-system-misc"), (DEBIAN_13, "qemu-system-riscv"), (TESTING, "qemu-system-riscv")],
)
def test_the_package_of_an_emulator_follows_the_release(host: FakeHost, text: str, package: str) -> None:
    host.write("/etc/os-release", text)
    assert emulator_package(find_arch("riscv64"), host.root) == package
    assert emulator_package(find_arch("x86_64"), host.root) == "qemu-system-x86"


def test_the_package_of_a_tool_follows_the_release(host: FakeHost) -> None:
    virtiofsd = next(tool for tool in TOOLS if tool.name == "virtiofsd")
    host.write("/etc/os-release", DEBIAN_12)
    assert tool_package(virtiofsd, host.root) == "qemu-system-common"
    host.write("/etc/os-release", DEBIAN_13)
    assert tool_package(virtiofsd, host.root) == "virtiofsd"


def test_advice_names_apt_only_where_there_is_apt(host: FakeHost) -> None:
    for text in (DEBIAN_12, UBUNTU):
        host.write("/etc/os-release", text)
        assert install_hint("passt", root=host.root).startswith("apt-get install")
    host.write("/etc/os-release", FEDORA)
    assert "apt" not in install_hint("passt", root=host.root)


@pytest.mark.parametrize(
    "text", ["", "ID", "=x", 'ID="unclosed\n', "ID=debian\nVERSION_ID=twelve", "VERSION_ID=" + "9" * 400, b"\xff\0\xfe"]
)
def test_an_odd_file_is_an_unknown_distribution_and_no_error(host: FakeHost, text: str) -> None:
    host.write("/etc/os-release", text)
    assert distribution(host.root).release == 0
