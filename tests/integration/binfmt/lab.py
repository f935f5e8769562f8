"""A fresh, real binfmt_misc in namespaces of its own: what happens there, the host does not see.

Commands are root inside, with every id of the host, and may register, mount and chroot as they like. ``run_code`` runs a piece of
Python there, with this checkout and the tests importable::

    run_code("from quarterdeck.host.binfmt_misc import read_entries; assert read_entries() == []")
    assert call_isolated("tests.integration.binfmt.test_things:body", 3, name="x") == {"json": "value"}
"""

import functools
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.private.instance import open_instance
from quarterdeck.core import process
from quarterdeck.core.process import Completed
from quarterdeck.errors import QuarterdeckError

ROOT = Path(__file__).parents[3]
_ANSWER = "answer of the isolated call: "
_CALL = f"""
import importlib, json, sys
module, name = sys.argv[1].split(":")
words, named = json.loads(sys.argv[2])
print({_ANSWER!r} + json.dumps(getattr(importlib.import_module(module), name)(*words, **named)))
"""


@functools.cache
def obstacle() -> str:
    """Return why there is no lab on this host; empty when there is one."""
    if os.geteuid() != 0:
        return "only root can be root with all its ids in the lab"
    try:
        with open_instance([]):
            return ""
    except QuarterdeckError as error:
        return f"{error.message}: {error.reason}"


def require_lab() -> None:
    """Skip the test, with the reason, where there is no lab."""
    if obstacle():
        pytest.skip(obstacle())


def run_isolated(
    argv: Sequence[str | Path],
    *,
    registrations: Sequence[Registration] = (),
    check: bool = True,
    input: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 60.0,
) -> Completed:
    """Run a command in a new lab that has ``registrations``; with ``check`` its failure fails the test."""
    require_lab()
    with open_instance(registrations) as instance:
        return process.run(instance.argv(argv, cwd=cwd), check=check, input=input, env=env, timeout=timeout)


def run_code(code: str, *words: str, **options: Any) -> Completed:
    """Run Python source text in a new lab, with ``words`` as sys.argv[1:] and the options of :func:`run_isolated`."""
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **options.pop("env", {})}
    return run_isolated([sys.executable, "-c", code, *words], env=env, **options)


def call_isolated(function: str, *words: Any, registrations: Sequence[Registration] = (), **named: Any) -> Any:
    """Call ``package.module:function`` in a new lab; arguments and answer are JSON values. What it raises fails the test."""
    done = run_code(_CALL, function, json.dumps([words, named]), registrations=registrations)
    answers = [line.removeprefix(_ANSWER) for line in done.text.splitlines() if line.startswith(_ANSWER)]
    return json.loads(answers[-1])
