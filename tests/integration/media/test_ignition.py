"""Ignition configs before Ignition's own validator, which Debian has as a package."""

import asyncio
import shutil
from pathlib import Path

import pytest

from quarterdeck.core.process import run, run_async
from quarterdeck.provision.cloud_init import FirstBoot, FirstBootFile
from quarterdeck.provision.ignition import ignition_config
from quarterdeck.runtime.prepare import password_hash

pytestmark = pytest.mark.integration

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0F0fFhyC4RYlZqNvJAcmkYqNyoWgkuzIuZCi5u1VQH me@home"


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the package, unpacked and not installed: its other files would go into the host's own initramfs."""
    folder = tmp_path_factory.mktemp("ignition")
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    run(["apt-get", "download", "-q", "ignition"], cwd=folder, timeout=120)
    [package] = folder.glob("*.deb")
    run(["dpkg-deb", "-x", package, folder / "root"])
    return folder / "root/usr/bin/ignition-validate"


async def test_ignition_takes_what_is_made_for_it(validator: Path, tmp_path: Path) -> None:
    boot = FirstBoot(
        hostname="deck.example.org",
        user="captain",
        instance_id="1",
        ssh_keys=(KEY,),
        files=(FirstBootFile(path="/etc/a b/ç", content='"q"\n\x00', owner="captain:wheel", mode="0750"),),
        commands=("echo 'one' > /x", ("touch", "a b")),
        user_data='{"ignition": {"version": "3.0.0"}}',
    )
    path = tmp_path / "config.json"
    text = ignition_config(boot, password_hash=await asyncio.to_thread(password_hash, "pass word\\"))
    path.write_text(text)
    done = await run_async([validator, path], check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    path.write_text(text.replace('"3.3.0"', '"9.9.9"'))
    assert (await run_async([validator, path], check=False)).returncode != 0


def test_a_password_is_hashed_as_crypt_has_it() -> None:
    first, second = password_hash("ç"), password_hash("ç")
    assert first != second
    assert first.startswith("$6$")
    salt = first.split("$")[2]
    assert run(["openssl", "passwd", "-6", "-salt", salt, "-stdin"], input="ç\n".encode()).text.strip() == first
