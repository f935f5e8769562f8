"""What the first boot sets up."""

from __future__ import annotations

from quarterdeck.machine.environment.draft import Draft

_FIELDS = (("PROVISION_USER", "user"), ("PROVISION_PASSWORD", "password"), ("PROVISION_HOSTNAME", "hostname"))


def provision(draft: Draft) -> None:
    """Write what the variables of the first boot say."""
    _password_file(draft)
    for name, field in _FIELDS:
        if draft.has(name):
            draft.put(("provision", field), draft.value(name), name)
    if draft.has("USER_DATA"):
        draft.put(("provision", "user_data"), draft.found.real(str(draft.value("USER_DATA"))), "USER_DATA")
    for line in (draft.text("SSH_KEY") or "").splitlines():
        if key := line.strip():
            draft.add(("provision", "ssh_keys"), draft.found.real(key) if key.startswith("/") else key, "SSH_KEY")


def _password_file(draft: Draft) -> None:
    path = draft.given.files.get("PROVISION_PASSWORD")
    if path is None:
        return
    content = draft.found.text(path)
    if draft.has("PROVISION_PASSWORD"):
        draft.problem("PROVISION_PASSWORD", "contradicts PROVISION_PASSWORD_FILE", "give one of the two")
    elif not (content or "").strip():
        draft.problem("PROVISION_PASSWORD_FILE", f"there is no password in {path}")
    else:
        draft.put(("provision", "password"), str(content).strip("\r\n"), "PROVISION_PASSWORD_FILE")
