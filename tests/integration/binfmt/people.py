"""An ordinary user who runs the code of this checkout with Debian's Python."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = "/usr/bin/python3"
STRANGER = 61_001
"""A user that is in no database and has no subordinate ids."""


def environment() -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": f"{ROOT / 'src'}:{sysconfig.get_path('purelib')}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run_as(user: str | int, code: str, *words: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run Python source text as an ordinary user in ``/``."""
    argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--", *prefix, PYTHON, "-c", code, *words]
    return subprocess.run(argv, env=environment(), cwd="/", capture_output=True, text=True, timeout=100)


def require_other_users() -> None:
    """Skip the test, with the reason, where we cannot run the checkout as somebody else."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if not os.stat(ROOT).st_mode & 1 or sys.version_info[:2] != (3, 11):
        pytest.skip("the checkout is closed to other users, or its Python is not /usr/bin/python3's")


@contextmanager
def user_with_subordinate_ids() -> Iterator[str]:
    """Make a user of this host for the ``with`` block, and say what it is called."""
    require_other_users()
    if shutil.which("newuidmap") is None:
        pytest.skip("uidmap is not installed")
    name = f"qdbin{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--add-subids-for-system", "--system", "--user-group", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)
