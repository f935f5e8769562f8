"""The machine itself: type, firmware, small devices, and arguments for QEMU."""

from __future__ import annotations

import re
import shlex

from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.kinds import is_no, is_yes
from quarterdeck.machine.environment.stages.processor import is_x86

_FIRMWARE = {
    "uefi": "uefi",
    "secure": "uefi-secure",
    "legacy": "bios",
    "windows": "uefi",
    "windows_plain": "uefi",
    "windows_secure": "uefi-secure",
    "windows_legacy": "bios",
}
_POINTERS = {"usb-tablet": "tablet", "usb-mouse": "mouse", "n": "none"}
_DISC_BEFORE_DISK = 3
"""The boot index of the first disk in the image that people come from."""


def system(draft: Draft) -> None:
    """Write what the variables of the machine say."""
    for name, field in (("MACHINE", "machine_type"), ("UUID", "uuid"), ("RNG", "rng"), ("TPM", "tpm")):
        if draft.has(name):
            draft.put((field,), draft.value(name), name)
    _firmware(draft)
    _machine_options(draft)
    _inputs(draft)
    _qemu_arguments(draft)
    if draft.has("BOOT_INDEX") and draft.value("BOOT_INDEX") < _DISC_BEFORE_DISK:
        draft.put(("boot_first",), "cdrom", "BOOT_INDEX")


def boot_mode(draft: Draft) -> str | None:
    """Return the mode in which the guest is to boot, as the old image calls it."""
    return draft.text("BOOT_MODE")


def _firmware(draft: Draft) -> None:
    mode, image = boot_mode(draft), draft.text("BIOS")
    if image is not None:
        if mode not in {None, "custom"}:
            draft.problem("BOOT_MODE", f"contradicts BIOS, a file that takes its place; it is '{mode}'", "remove one of the two")
        draft.put(("firmware_image",), draft.found.real(image), "BIOS")
        return
    if mode == "custom":
        draft.problem("BOOT_MODE", "'custom' needs BIOS, the file of the firmware")
        return
    if mode is None:
        return
    draft.put(("firmware",), _FIRMWARE[mode], "BOOT_MODE")
    if mode.startswith("windows"):
        _add_arguments(draft, ("-rtc", "base=localtime"), "BOOT_MODE")
    if mode == "windows_secure" and not draft.has("TPM"):
        draft.put(("tpm",), True, "BOOT_MODE")


def _machine_options(draft: Draft) -> None:
    for name, option, pc in (("HPET", "hpet", True), ("VMPORT", "vmport", True), ("SMM", "smm", True), ("SECURE", "secure", False)):
        value = draft.value(name)
        if value is None:
            continue
        if is_x86(draft) is not pc:
            if value is not False:
                draft.note(name, "it has no effect on this architecture", "leave it out")
            continue
        draft.add(("machine_options",), f"{option}={_on_off(value)}", name)


def _on_off(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return {"y": "on", "n": "off"}.get(str(value), str(value))


def _inputs(draft: Draft) -> None:
    pointer = draft.text("MOUSE")
    if pointer is not None:
        draft.put(("display", "pointer"), _POINTERS.get(pointer, pointer), "MOUSE")
    usb = draft.text("USB")
    if usb is None or is_yes(usb) or usb.partition(",")[0] == "qemu-xhci":
        return
    if not is_no(usb):
        draft.note("USB", f"the controller is qemu-xhci, not {usb.partition(',')[0]}", "add another with ARGUMENTS")
    elif pointer not in {None, "n", "none"}:
        draft.problem("USB", "is off, and MOUSE needs it", "remove one of the two")
    else:
        draft.put(("display", "pointer"), "none", "USB")


def _qemu_arguments(draft: Draft) -> None:
    _smbios(draft)
    _serial(draft)
    for name, option in (("MONITOR", "-monitor"), ("QMP", "-qmp")):
        value = draft.text(name)
        if value is not None and not is_no(value):
            _add_arguments(draft, (option, _character_device(value)), name)
            draft.note(name, "whoever reaches it owns the machine")
    _second_agent(draft)
    text = draft.text("ARGUMENTS")
    if text is not None:
        try:
            _add_arguments(draft, tuple(shlex.split(text)), "ARGUMENTS")
        except ValueError as error:
            draft.problem("ARGUMENTS", f"has a quote without its other half ({str(error).lower()}); it is '{text}'")


def _smbios(draft: Draft) -> None:
    text = draft.text("SM_BIOS")
    if text is None:
        return
    words = text.split()
    _add_arguments(draft, tuple(words) if words[0] == "-smbios" else ("-smbios", text), "SM_BIOS")


def _serial(draft: Draft) -> None:
    value = draft.text("SERIAL")
    if value is None or value in {"mon:stdio", "stdio"}:
        return
    if is_no(value):
        draft.put(("serial",), False, "SERIAL")
    else:
        _add_arguments(draft, ("-serial", _character_device(value)), "SERIAL")


def _second_agent(draft: Draft) -> None:
    value = draft.text("QGA")
    if value is None or is_no(value):
        return
    kind, _, rest = _character_device(value).partition(":")
    if kind != "unix":
        draft.problem("QGA", f"must be the path of a socket, such as /storage/qga.sock; it is '{value}'")
        return
    path, _, options = rest.partition(",")
    device = f"socket,id=qga,path={path},{options or 'server=on,wait=off'}"
    port = "virtserialport,chardev=qga,name=org.qemu.guest_agent.1"
    _add_arguments(draft, ("-chardev", device, "-device", "virtio-serial", "-device", port), "QGA")


def _character_device(value: str) -> str:
    """Return QEMU's words for a socket; the short forms are a path and a port of the container."""
    if value.startswith("/"):
        return f"unix:{value},server=on,wait=off"
    if re.fullmatch(r"\d{1,5}", value, re.ASCII):
        return f"telnet::{value},server=on,wait=off"
    return value


def _add_arguments(draft: Draft, words: tuple[str, ...], name: str) -> None:
    for word in words:
        draft.add(("qemu_args",), word, name)
