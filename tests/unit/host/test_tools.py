from pathlib import Path

import pytest

from quarterdeck.host import tools


@pytest.fixture
def usr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in for /usr."""
    folders = tuple(f"{tmp_path}{folder}" for folder in tools._QEMU_FOLDERS)
    for folder in folders:
        Path(folder).mkdir(parents=True)
    monkeypatch.setattr(tools, "_QEMU_FOLDERS", folders)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "usr"


def program(path: Path) -> Path:
    path.write_text("", encoding="ascii")
    path.chmod(0o755)
    return path


def test_virtiofsd_in_rust_is_not_found_by_the_link_with_the_name_of_the_one_in_c(usr: Path) -> None:
    rust = program(usr / "libexec/virtiofsd")
    (usr / "lib/qemu/virtiofsd").symlink_to(rust)
    assert tools.find_tool("virtiofsd") == str(rust)


def test_virtiofsd_in_c_is_found_where_there_is_no_other(usr: Path) -> None:
    legacy = program(usr / "lib/qemu/virtiofsd")
    assert tools.find_tool("virtiofsd") == str(legacy)
