import stat

from quarterdeck.machine.layout import MachineLayout
from quarterdeck.runtime import secrets


def test_password_is_long_and_has_no_look_alikes():
    made = {secrets.generate_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 19 for password in made)
    assert not set("lo01") & set("".join(made))


def test_password_is_made_once_and_kept_private(tmp_path):
    layout = MachineLayout(tmp_path)
    first = secrets.password(layout)
    assert secrets.password(layout) == first
    assert stat.S_IMODE(layout.secrets.stat().st_mode) == 0o600


def test_other_secrets_survive(tmp_path):
    layout = MachineLayout(tmp_path)
    secrets.update(layout, sessions=["x"])
    secrets.password(layout)
    assert secrets.load(layout)["sessions"] == ["x"]


def test_damaged_file_is_replaced(tmp_path):
    layout = MachineLayout(tmp_path)
    layout.secrets.write_text("{")
    assert secrets.load(layout) == {}
    assert secrets.password(layout)
