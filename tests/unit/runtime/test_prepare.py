"""State that a machine begins with is a copy, made once."""

from pathlib import Path

import pytest

from quarterdeck.core.arch import FirmwareKind
from quarterdeck.errors import HostError, UsageError
from quarterdeck.machine.resolved import ResolvedFirmware
from quarterdeck.runtime.prepare import _copy_variables


def firmware(folder: Path, begins_as: str = "") -> ResolvedFirmware:
    (folder / "template").write_bytes(b"template")
    return ResolvedFirmware(FirmwareKind.UEFI, "code", str(folder / "template"), str(folder / "own"), begins_as)


def test_variables_begin_as_the_firmware_s_own_and_are_kept(tmp_path: Path) -> None:
    found = firmware(tmp_path)
    _copy_variables(found, None)
    (tmp_path / "own").write_bytes(b"changed!")
    _copy_variables(found, None)
    assert (tmp_path / "own").read_bytes() == b"changed!"


def test_variables_that_came_along_are_copied_and_never_written(tmp_path: Path) -> None:
    old = tmp_path / "uefi.vars"
    old.write_bytes(b"from old")
    _copy_variables(firmware(tmp_path, str(old)), None)
    assert (tmp_path / "own").read_bytes() == old.read_bytes() == b"from old"


def test_variables_of_another_size_are_refused(tmp_path: Path) -> None:
    (tmp_path / "uefi.vars").write_bytes(b"short")
    with pytest.raises(UsageError, match="does not fit the firmware"):
        _copy_variables(firmware(tmp_path, str(tmp_path / "uefi.vars")), None)
    with pytest.raises(HostError, match="cannot be read"):
        _copy_variables(firmware(tmp_path, str(tmp_path / "missing")), None)
