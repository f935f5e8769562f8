"""Ignition configs: what comes out is what went in, by the specification's names."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.errors import UsageError
from quarterdeck.provision.cloud_init import FirstBoot, FirstBootFile
from quarterdeck.provision.ignition import ignition_config

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2Vkh0J5k1ZcmKzBvhZ4bJm0VbYp0oYg0bGZ1J9pQmN me@here"


def config(*, hashed: str | None = None, **fields: Any) -> dict[str, Any]:
    boot = FirstBoot(**{"hostname": "box", "user": "core", "instance_id": "1", **fields})
    loaded = json.loads(ignition_config(boot, password_hash=hashed))
    assert isinstance(loaded, dict)
    return loaded


def content(file: dict[str, Any]) -> str:
    source = file["contents"]["source"]
    assert source.startswith("data:;base64,")
    return base64.b64decode(source.partition(",")[2]).decode()


def test_user_host_name_and_keys() -> None:
    found = config(ssh_keys=(KEY,), hashed="$6$x")
    assert found["ignition"] == {"version": "3.3.0"}
    assert found["passwd"]["users"] == [{"name": "core", "groups": ["wheel", "sudo"], "passwordHash": "$6$x", "sshAuthorizedKeys": [KEY]}]
    [name] = found["storage"]["files"]
    assert (name["path"], content(name), name["overwrite"]) == ("/etc/hostname", "box\n", True)
    assert "systemd" not in found


def test_commands_run_once_by_a_unit_of_their_own() -> None:
    found = config(commands=("echo 'a b' > /x", ("touch", "a b")))
    script = found["storage"]["files"][-1]
    assert content(script) == "echo 'a b' > /x\ntouch 'a b'\n"
    assert script["mode"] == 0o700
    [unit] = found["systemd"]["units"]
    assert unit["enabled"] is True
    assert f"ExecStart=/bin/sh {script['path']}\n" in unit["contents"]


@given(st.text(max_size=40), st.sampled_from(["0644", "0600", "01777"]), st.sampled_from(["root:root", "core", "core:wheel"]))
def test_files_are_what_was_asked_for(text: str, mode: str, owner: str) -> None:
    found = config(files=(FirstBootFile(path="/etc/x y", content=text, owner=owner, mode=mode),))
    file = found["storage"]["files"][-1]
    assert found["ignition"]["version"] == ("3.4.0" if mode == "01777" else "3.3.0")
    user, _, group = owner.partition(":")
    assert (content(file), file["mode"], file["user"], file["group"]) == (text, int(mode, 8), {"name": user}, {"name": group or user})


def test_the_users_own_config_is_merged_by_ignition() -> None:
    own = json.dumps({"ignition": {"version": "3.4.0"}})
    [merged] = config(user_data=own)["ignition"]["config"]["merge"]
    assert base64.b64decode(merged["source"].partition(",")[2]).decode() == own


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"packages": ("vim",)}, "no-packages"),
        ({"vendor_data": "#cloud-config"}, "only-cloud-init"),
        ({"network_config": "{version: 2}"}, "only-cloud-init"),
        ({"user_data": "#cloud-config\n"}, "invalid-ignition"),
        ({"user_data": '{"ignition": 3}'}, "invalid-ignition"),
        ({"ssh_keys": ("no key",)}, "invalid-ssh-key"),
    ],
)
def test_what_only_cloud_init_can_do_is_refused_in_words(fields: dict[str, Any], key: str) -> None:
    with pytest.raises(UsageError) as caught:
        config(**fields)
    assert caught.value.key == key
