import pytest

from quarterdeck.core.arch import Arch, find_arch
from quarterdeck.core.process import Identity
from quarterdeck.host import probe as module
from quarterdeck.host.facts import KvmFacts, NetworkFacts, QemuFacts
from quarterdeck.host.probe import installed_firmware, probe

QEMU = QemuFacts("/usr/bin/qemu-system-x86_64", (7, 2, 0), frozenset({"virtio-blk-pci"}))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Identity | None]:
    """Identities that KVM was proved for, on a host where everything is found."""
    identities: list[Identity | None] = []

    async def qemu(path: str) -> QemuFacts:
        return QEMU

    async def kvm(arch: Arch, path: str, identity: Identity | None) -> KvmFacts:
        identities.append(identity)
        return KvmFacts(True, "proved")

    async def network(identity: Identity | None, *, passt: bool) -> NetworkFacts:
        return NetworkFacts(lowest_port=int(passt))

    monkeypatch.setattr(module, "network_facts", network)
    monkeypatch.setattr(module, "require_qemu", lambda arch: QEMU.path)
    monkeypatch.setattr(module, "qemu_facts", qemu)
    monkeypatch.setattr(module, "prove_kvm", kvm)
    return identities


async def test_kvm_is_proved_for_the_user_that_the_machine_gets(asked: list[Identity | None]) -> None:
    facts = await probe(find_arch("x86_64"), machine="web")
    assert asked == [facts.identity]
    assert facts.kvm.proved
    assert facts.tool("no-such-tool") is None


async def test_kvm_is_not_asked_about_when_it_is_not_wanted(asked: list[Identity | None]) -> None:
    facts = await probe(find_arch("x86_64"), accel=False)
    assert asked == []
    assert not facts.kvm.proved
    assert facts.identity is None


async def test_passt_is_proved_where_it_is_wanted(asked: list[Identity | None]) -> None:
    assert [(await probe(find_arch("x86_64"), passt=wanted)).network.lowest_port for wanted in (True, False)] == [1, 0]


def test_only_complete_pairs_of_firmware_count(monkeypatch: pytest.MonkeyPatch) -> None:
    arch = find_arch("x86_64")
    first, second = arch.firmware[:2]
    monkeypatch.setattr(module, "_readable", lambda path: path in (first.code, second.code, second.variables))
    assert installed_firmware(arch) == (second,)
