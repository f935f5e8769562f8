"""Hardware virtualisation, KVM and its nesting."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.core.arch import Arch, host_arch
from quarterdeck.errors import QuarterdeckError
from quarterdeck.host.check import Check, Status
from quarterdeck.host.facts import KvmFacts
from quarterdeck.host.files import exists, read_text
from quarterdeck.host.identity import choose_identity
from quarterdeck.host.kvm import cpu_flags, kvm_module, kvm_obstacle, prove_kvm, virtualisation_flag
from quarterdeck.host.qemu import find_qemu
from quarterdeck.host.resources import cpu_count


async def check() -> list[Check]:
    """Return the state of virtualisation; no check here is needed, since everything also runs emulated."""
    try:
        arch = host_arch()
    except QuarterdeckError as error:
        return [Check(key="cpu", title="Processor", status=Status.WARN, detail=error.message)]
    return [processor_check(arch), kvm_check(await _kvm(arch)), nested_check(arch)]


def processor_check(arch: Arch, root: Path = Path("/")) -> Check:
    """Say what the processor is and whether it shows hardware virtualisation."""
    name = f"{cpu_count(root)} x {_model(root) or arch.name}"
    flag = virtualisation_flag(arch, root)
    if not arch.kvm_flags or not cpu_flags(root):
        return Check(key="cpu", title="Processor", status=Status.INFO, detail=f"{name}; it has no flag that shows virtualisation")
    if flag is None:
        wanted = " or ".join(arch.kvm_flags)
        fix = "enable virtualisation in the firmware setup, or nested virtualisation on the host above"
        return Check(key="cpu", title="Processor", status=Status.WARN, detail=f"{name}, without {wanted}", fix=fix)
    return Check(key="cpu", title="Processor", status=Status.OK, detail=f"{name}, with {flag}")


def kvm_check(kvm: KvmFacts) -> Check:
    """Turn the proof of KVM into a check."""
    if kvm.proved:
        return Check(key="kvm", title="KVM", status=Status.OK, detail=f"proved: {kvm.reason}")
    return Check(key="kvm", title="KVM", status=Status.WARN, detail=f"not proved, guests are emulated: {kvm.reason}", fix=kvm.hint)


def nested_check(arch: Arch, root: Path = Path("/")) -> Check:
    """Say whether guests may run guests under KVM. Source: parameter ``nested`` of the modules kvm_intel, kvm_amd, kvm_hv and kvm."""
    module = kvm_module(root)
    value = read_text(root, f"/sys/module/{module}/parameters/nested") if module else ""
    if value in ("Y", "1", "y"):
        return Check(key="nested", title="Nested virtualisation", status=Status.OK, detail=f"on ({module})")
    if value in ("N", "0", "n"):
        fix = f"echo 'options {module} nested=1' > /etc/modprobe.d/kvm-nested.conf, then load {module} again"
        return Check(key="nested", title="Nested virtualisation", status=Status.INFO, detail=f"off ({module})", fix=fix)
    detail = f"{module} does not say" if module else "no KVM module is loaded"
    return Check(key="nested", title="Nested virtualisation", status=Status.INFO, detail=f"{detail} ({arch.name})")


async def _kvm(arch: Arch) -> KvmFacts:
    identity = choose_identity("doctor").identity
    qemu = find_qemu(arch)
    if qemu is not None:
        return await prove_kvm(arch, qemu, identity)
    return kvm_obstacle(arch, identity) or KvmFacts(False, f"qemu-system-{arch.system} is not installed, so nothing can prove it")


def _model(root: Path) -> str:
    """Return the processor's name. Sources: ``model name`` on x86, ``cpu`` on POWER, the device tree's model elsewhere."""
    for line in read_text(root, "/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "cpu", "Model Name") and value.strip():
            return value.strip()[:80]
    return read_text(root, "/proc/device-tree/model")[:80] if exists(root, "/proc/device-tree/model") else ""
