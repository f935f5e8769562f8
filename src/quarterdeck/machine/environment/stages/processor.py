"""CPUs, memory and the accelerator."""

from __future__ import annotations

import re

from quarterdeck.core.arch import find_arch
from quarterdeck.errors import UsageError
from quarterdeck.machine.environment.draft import Draft

_BALLOONING = (
    ("MIN_MEM", "minimum"),
    ("RAM_THRESHOLD", "usage"),
    ("RAM_THRESHOLD_HARD", "usage_hard"),
    ("PSI_PRESSURE", "pressure"),
    ("PSI_PRESSURE_MAX", "pressure_hard"),
    ("HYSTERESIS", "hysteresis"),
    ("INTERVAL", "interval"),
)
_SHAPE = ("sockets", "dies", "cores", "threads")


def processor(draft: Draft) -> None:
    """Write what the variables of CPU and memory say."""
    for name, field in (("ARCH", "arch"), ("RAM_SIZE", "memory"), ("CPU_CORES", "cpus")):
        if draft.has(name):
            draft.put((field,), draft.value(name), name)
    _ballooning(draft)
    _accelerator(draft)
    _model(draft)
    _topology(draft)


def is_x86(draft: Draft) -> bool:
    """Whether the guest is a PC."""
    try:
        return find_arch(str(draft.data.get("arch") or draft.found.arch)).name in {"x86_64", "i386"}
    except UsageError:  # told of with everything else that is wrong
        return False


def _ballooning(draft: Draft) -> None:
    wanted = draft.flag("BALLOONING")
    if wanted is True:
        draft.put(("ballooning",), draft.data.get("ballooning") or {}, "BALLOONING")
    if wanted is False:
        draft.data.pop("ballooning", None)
    for word, field in _BALLOONING:
        name = f"BALLOONING_{word}"
        if draft.has(name) and draft.data.get("ballooning") is not None:
            draft.put(("ballooning", field), draft.value(name), name)
        elif draft.has(name):
            draft.note(name, "it has no effect without BALLOONING", "set BALLOONING=Y")


def _accelerator(draft: Draft) -> None:
    wanted = draft.text("ACCEL")
    if draft.flag("KVM") is False:
        if wanted == "kvm":
            draft.problem("ACCEL", "contradicts KVM, which is off", "remove one of the two")
            return
        draft.put(("accel",), "tcg", "KVM")
    elif wanted is not None:
        draft.put(("accel",), wanted, "ACCEL")


def _model(draft: Draft) -> None:
    flags: list[tuple[str, str]] = []
    if (model := draft.text("CPU_MODEL")) is not None:
        name, _, further = model.partition(",")
        # "host" is what KVM gives anyway; where there is no KVM the fullest model is what was meant.
        if name != "host":
            draft.put(("cpu_model",), name, "CPU_MODEL")
        flags += [("CPU_MODEL", word) for word in further.split(",") if word]
    flags += [("CPU_FLAGS", word.strip()) for word in (draft.text("CPU_FLAGS") or "").split(",") if word.strip()]
    for name, words in (("VMX", ("-vmx", "-svm")), ("VM", ("-hypervisor",))):
        if draft.flag(name) is False:
            flags += [(name, word) for word in words] if is_x86(draft) else []
            if not is_x86(draft):
                draft.note(name, "it has no effect on this architecture", "leave it out")
    for name, word in flags:
        draft.add(("cpu_flags",), word, name)


def _topology(draft: Draft) -> None:
    text = draft.text("SMP")
    if text is None:
        return
    number, shape = _parse_shape(text)
    if number is None or shape is None:
        draft.problem("SMP", f"must be such as 4,sockets=1,cores=2,threads=2; it is '{text}'")
        return
    if draft.has("CPU_CORES") and draft.value("CPU_CORES") != number:
        draft.problem("SMP", f"says {number} CPUs, and CPU_CORES says {draft.value('CPU_CORES')}", "remove CPU_CORES")
        return
    draft.put(("cpus",), number, "SMP")
    if shape:
        draft.put(("topology",), shape, "SMP")


def _parse_shape(text: str) -> tuple[int | None, dict[str, int] | None]:
    """Return the number of CPUs and the topology, which is empty when only the number was given."""
    first, *words = text.removeprefix("cpus=").split(",")
    if not re.fullmatch(r"\d{1,4}", first, re.ASCII):
        return None, None
    shape: dict[str, int] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key == "maxcpus" and value == first:
            continue
        if key not in _SHAPE or not re.fullmatch(r"\d{1,4}", value, re.ASCII):
            return None, None
        shape[key] = int(value)
    return int(first), shape
