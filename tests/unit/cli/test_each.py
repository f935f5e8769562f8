import pytest
import typer

from quarterdeck.cli.each import each
from quarterdeck.errors import HostError, UsageError


def test_each_action_is_begun_for_all_before_the_next_one(capsys):
    done = []
    each(["a", "b", "a"], lambda name: done.append(f"ask {name}"), lambda name: done.append(f"wait {name}"))
    assert done == ["ask a", "ask b", "wait a", "wait b"]
    assert capsys.readouterr().out == "a\nb\n"


def test_first_failure_decides_the_exit_code_and_the_others_go_on(capsys):
    def ask(name):
        if name == "b":
            raise UsageError("unknown-machine", "no b")

    def wait(name):
        if name == "c":
            raise HostError("full", "no space")

    with pytest.raises(typer.Exit) as caught:
        each(["a", "b", "c", "d"], ask, wait)
    out, err = capsys.readouterr()
    assert caught.value.exit_code == 2
    assert out == "a\nd\n"
    assert err == "error: no b\nerror: no space\n"
