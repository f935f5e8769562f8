"""The check as an ordinary user: commands run in images of foreign platforms without root, and without anything registered."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration.binfmt.people import PYTHON, environment, user_with_subordinate_ids
from tests.open_folders import open_to_others
from tests.unit.build.oci.images import Shelf, layer

from quarterdeck.binfmt.programs.build import Probe, build
from quarterdeck.build.oci.merge import merge
from quarterdeck.build.oci.model import ImagePlatform
from quarterdeck.build.oci.write_archive import write_archive
from quarterdeck.build.platform import Platform
from quarterdeck.core.process import find

pytestmark = pytest.mark.integration

_CODE = """
import sys
from pathlib import Path
from quarterdeck.build.check.smoke import SmokeOptions, smoke
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.platform import Platform
with open_image(Path(sys.argv[1])) as layout:
    platforms = [Platform.parse(word) for word in sys.argv[2:]]
    runs, findings = smoke(layout.source(), ["/bin/ok"], platforms, options=SmokeOptions(engine="buildah"))
    for run in runs:
        print(run.platform, run.status, run.runs, run.output)
"""


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that other users walk into."""
    return open_to_others(tmp_path)


def test_foreign_images_run_without_root(open_folder: Path) -> None:
    if find("buildah") is None:
        pytest.skip("buildah is not installed")
    platforms = [Platform.of_host(), Platform.parse("linux/riscv64"), Platform.parse("linux/s390x")]
    images = {}
    for platform in platforms:
        assert platform.arch is not None
        shelf = Shelf()
        program = build(platform.arch, Probe.THREADS)
        images[platform] = shelf.source(shelf.image(ImagePlatform.of(platform), [layer(("bin/ok", program))]))
    archive = open_folder / "image.tar"
    write_archive(merge(images), archive)
    archive.chmod(0o644)
    with user_with_subordinate_ids() as name:
        home = open_folder / "home"
        (home / "run").mkdir(parents=True)
        for place in (home, home / "run"):
            shutil.chown(place, name, name)
        variables = {"HOME": home, "XDG_RUNTIME_DIR": home / "run", "QUARTERDECK_HOME": home / "qd", "TMPDIR": home}
        person = ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups", "--"]
        argv = [*person, PYTHON, "-c", _CODE, str(archive), *map(str, platforms)]
        env = {**environment(), **{key: str(value) for key, value in variables.items()}}
        done = subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, timeout=110)
        assert done.stderr == ""
        lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
        # Storage has files of subordinate ids.
        subprocess.run(["rm", "-rf", str(home)], check=True)
    assert [(platform, status) for platform, status, _ in lines] == [(str(platform), "0") for platform in platforms]
    assert lines[0][2].strip() == "native"
    assert all(how.startswith("emulated") for _, _, how in lines[1:])
    assert os.listdir(open_folder) == ["image.tar"]
