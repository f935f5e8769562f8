"""The screen, the viewer, and who may use it."""

from __future__ import annotations

from quarterdeck.machine.environment.draft import Draft
from quarterdeck.machine.environment.kinds import is_no
from quarterdeck.machine.environment.stages.processor import is_x86
from quarterdeck.machine.environment.wish import ViewerSecrets

EVERYWHERE = "0.0.0.0"  # noqa: S104 - ports of a container are published one by one
VIEWER_PORT = 8006
SPICE_PORT = 5930
_SECRETS = ("password", "token", "view_token")
_CARDS = {"std": "VGA", "qxl": "qxl-vga", "cirrus": "cirrus-vga", "vmware": "vmware-svga", "ramfb": "ramfb", "bochs": "bochs-display"}


def screen(draft: Draft) -> None:
    """Write what the variables of screen and viewer say."""
    _display(draft)
    _card(draft)
    _gpu(draft)
    if draft.has("RESOLUTION"):
        draft.put(("display", "resolution"), draft.value("RESOLUTION"), "RESOLUTION")
    _viewer(draft)
    _access(draft)


def _display(draft: Draft) -> None:
    value = (draft.text("DISPLAY") or "web").lower()
    match value:
        case "web" | ":0":
            pass
        case "none":
            draft.put(("display", "kind"), value, "DISPLAY")
        case "spice":
            _spice(draft)
            return
        case "disabled":
            draft.put(("viewer", "enabled"), False, "DISPLAY")
        case "vnc":
            draft.note("DISPLAY", "VNC has no port of its own, since nothing would protect it", "use the viewer, or 'spice'")
        case _:
            draft.note("DISPLAY", f"'{value}' has no effect: a container has no desktop to open a window on", "use web, spice or none")
    for name in ("SPICE_PORT", "SPICE_TLS"):
        if draft.has(name):
            draft.note(name, "it has no effect without SPICE", "set DISPLAY=spice")


def _spice(draft: Draft) -> None:
    """A container's socket would be for the container only, so SPICE gets a port, which lets nobody in without a file of two minutes."""
    draft.put(("display", "kind"), "spice", "DISPLAY")
    draft.default(("display", "spice_port"), SPICE_PORT)
    draft.default(("display", "spice_address"), EVERYWHERE)
    if draft.has("SPICE_PORT"):
        draft.put(("display", "spice_port"), draft.value("SPICE_PORT"), "SPICE_PORT")
    if draft.has("SPICE_TLS"):
        draft.put(("display", "spice_tls"), draft.found.real(str(draft.text("SPICE_TLS"))), "SPICE_TLS")


def _gpu(draft: Draft) -> None:
    node, wanted = draft.text("RENDERNODE"), draft.flag("GPU")
    if wanted is not None:
        draft.put(("display", "gpu"), node if wanted and node else wanted, "RENDERNODE" if wanted and node else "GPU")
    elif node:
        draft.note("RENDERNODE", "it has no effect without GPU", "set GPU=Y")


def _card(draft: Draft) -> None:
    text = draft.text("VGA")
    if text is None:
        return
    name, _, further = text.partition(",")
    if is_no(name):
        draft.put(("display", "kind"), "none", "VGA")
        return
    size = {key: value for key, _, value in (word.partition("=") for word in further.split(",") if word)}
    if {"xres", "yres"} <= size.keys() and not draft.has("RESOLUTION"):
        draft.put(("display", "resolution"), f"{size.pop('xres')}x{size.pop('yres')}", "VGA")
    if size:
        draft.note("VGA", f"its options {', '.join(size)} have no effect", f"set ARGUMENTS='-global {_CARDS.get(name, name)}.NAME=VALUE'")
    if name.lower() != "virtio":
        draft.put(("display", "device"), _device(draft, name), "VGA")


def _device(draft: Draft, name: str) -> str:
    device = _CARDS.get(name.lower(), name)
    return "virtio-gpu-pci" if device.startswith("virtio-vga") and not is_x86(draft) else device


def _viewer(draft: Draft) -> None:
    draft.default(("viewer", "address"), EVERYWHERE)
    draft.default(("viewer", "port"), VIEWER_PORT)
    if draft.has("WEB_PORT"):
        draft.put(("viewer", "port"), draft.value("WEB_PORT"), "WEB_PORT")
    if draft.flag("WEB") is False:
        draft.put(("viewer", "enabled"), False, "WEB")
    for name in draft.value("VIEWER_NAMES") or ():
        draft.add(("viewer", "names"), name, "VIEWER_NAMES")


def _access(draft: Draft) -> None:
    """Write who may use the viewer: names of files into the spec, what was given in words into the options."""
    given = {name: draft.text(name.upper()) for name in _SECRETS}
    everybody = draft.flag("VIEWER_OPEN") is True
    known = any(given.values()) or any(name.upper() in draft.given.files for name in _SECRETS)
    draft.options["secrets"] = ViewerSecrets(**given)
    for name in _SECRETS:
        _file(draft, name, given[name])
    _say_who(draft, known=known, everybody=everybody)
    if everybody and known:
        draft.problem("VIEWER_OPEN", "contradicts the variables that protect the viewer", "remove it, or them")
    elif everybody:
        draft.put(("viewer", "open"), True, "VIEWER_OPEN")
    if draft.has("USERNAME"):
        draft.put(("viewer", "user"), draft.value("USERNAME"), "USERNAME")
    _tls(draft)


def _file(draft: Draft, name: str, given: str | None) -> None:
    path, variable = draft.given.files.get(name.upper()), name.upper()
    if path is None:
        return
    if given is not None:
        draft.problem(variable, f"contradicts {draft.called(f'{variable}_FILE')}", "give one of the two")
    elif draft.flag("VIEWER_OPEN") is not True:
        draft.put(("viewer", f"{name}_file"), draft.found.real(path), f"{variable}_FILE")


def _say_who(draft: Draft, *, known: bool, everybody: bool) -> None:
    wanted = draft.flag("PROTECT")
    if wanted and everybody:
        draft.problem("VIEWER_OPEN", "contradicts PROTECT", "remove one of the two")
    if wanted is False and not everybody:
        draft.note("PROTECT", "the viewer asks who one is all the same", "set VIEWER_OPEN=Y to let everybody in")
    if wanted and not known:
        draft.note("PROTECT", "there is no password that everybody knows", "set PASSWORD or PASSWORD_FILE, or use the link in the log")
    if draft.has("USERNAME") and not known:
        draft.note("USERNAME", "it has no effect without a password", "set PASSWORD or PASSWORD_FILE")


def _tls(draft: Draft) -> None:
    certificate, key, wanted = draft.text("TLS_CERT"), draft.text("TLS_KEY"), draft.text("TLS")
    if (certificate is None) is not (key is None):
        draft.problem("TLS_CERT" if certificate else "TLS_KEY", "needs its other half", "give both TLS_CERT and TLS_KEY")
        return
    mode = {"n": "off", "y": "generated"}.get(wanted or "", wanted) or ("files" if certificate else None)
    if mode == "files" and certificate is None:
        draft.problem("TLS", "'files' needs TLS_CERT and TLS_KEY")
    elif mode != "files" and certificate is not None:
        draft.problem("TLS", f"is '{wanted}', and TLS_CERT gives a certificate", "remove one of the two")
    elif mode is not None:
        draft.put(("viewer", "tls"), mode, "TLS")
        for field, path in (("tls_certificate", certificate), ("tls_key", key)):
            if path is not None:
                draft.put(("viewer", field), draft.found.real(path), "TLS_CERT")
