"""New disks as specs and variables want them."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from quarterdeck.errors import HostError
from quarterdeck.media.disk import create_blank

pytestmark = pytest.mark.integration
MIB = 1 << 20


@pytest.mark.parametrize("kind", ["raw", "qcow2"])
async def test_space_is_taken_at_once_only_where_asked(kind: str, tmp_path: Path) -> None:
    for name, preallocate in (("sparse", False), ("whole", True)):
        await create_blank(tmp_path / name, kind, size=32 * MIB, preallocate=preallocate)
    taken = {name: (tmp_path / name).stat().st_blocks * 512 for name in ("sparse", "whole")}
    assert taken["sparse"] < MIB
    assert taken["whole"] >= 32 * MIB


def test_options_of_the_format_reach_the_file(tmp_path: Path) -> None:
    asyncio.run(create_blank(tmp_path / "disk", "qcow2", size=32 * MIB, options=("cluster_size=2M",)))
    shown = subprocess.run(["qemu-img", "info", "--output=json", tmp_path / "disk"], check=True, capture_output=True)
    assert json.loads(shown.stdout)["cluster-size"] == 2 * MIB


def test_more_than_there_is_room_for_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="too little space"):
        asyncio.run(create_blank(tmp_path / "disk", "raw", size=1 << 50, preallocate=True))
    assert list(tmp_path.iterdir()) == []
