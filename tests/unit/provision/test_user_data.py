"""A user's own user-data joined with ours."""

import email
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from quarterdeck.errors import UsageError
from quarterdeck.provision.cloud_init import FirstBoot, user_data
from quarterdeck.provision.user_data import merge


def boot(own: str) -> FirstBoot:
    return FirstBoot(hostname="box", user="me", instance_id="1", password="x", commands=("ours",), user_data=own)


def read(text: str) -> dict[str, object]:
    yaml = YAML(typ="safe", pure=True)
    loaded = yaml.load(text)
    assert isinstance(loaded, dict)
    return loaded


def test_mappings_are_merged_lists_joined_and_other_values_replaced() -> None:
    found = read(user_data(boot("#cloud-config\nhostname: other\nruncmd: [theirs]\nchpasswd: {expire: true}\nntp: {enabled: no}\n")))
    assert found["hostname"] == "other"
    assert found["runcmd"] == ["ours", "theirs"]
    chpasswd = found["chpasswd"]
    assert isinstance(chpasswd, dict)
    assert chpasswd["expire"] is True
    assert [user["name"] for user in chpasswd["users"]] == ["me"]
    assert found["ntp"] == {"enabled": False}


def test_an_empty_cloud_config_changes_nothing() -> None:
    assert user_data(boot("#cloud-config\n")) == user_data(boot(""))


@pytest.mark.parametrize(
    "own", ["#cloud-config\n- a list\n", "#cloud-config\nhalf: [\n", "#cloud-config\n&a a: *b\n", "#cloud-config\n\x00"]
)
def test_what_is_no_mapping_is_refused_in_words(own: str) -> None:
    with pytest.raises(UsageError) as caught:
        user_data(boot(own))
    assert caught.value.key == "invalid-user-data"
    assert caught.value.reason


def test_what_cloud_init_would_not_know_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        user_data(boot("echo hello"))
    assert caught.value.key == "unknown-user-data"


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        ("#!/bin/sh\necho ça\n", "text/x-shellscript"),
        ("#include\nhttps://example.org/\n", "text/x-include-url"),
        ("## template: jinja\n#cloud-config\n{}\n", "text/jinja2"),
        ("#cloud-boothook\n#!/bin/sh\n", "text/cloud-boothook"),
    ],
)
def test_everything_else_goes_beside_ours(own: str, kind: str) -> None:
    message = email.message_from_string(user_data(boot(own)))
    parts = message.get_payload()
    assert isinstance(parts, list)
    assert all(isinstance(part, Message) for part in parts)
    texts = [part.get_payload(decode=True) for part in parts if isinstance(part, Message)]
    assert [part.get_content_type() for part in parts if isinstance(part, Message)] == ["text/cloud-config", kind]
    assert texts == [user_data(boot("")).encode(), own.encode()]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab: #'\"\n", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), _JSON, max_size=4))
def test_merging_into_nothing_gives_what_was_given(own: dict[str, object]) -> None:
    import json

    assert merge({}, json.dumps(own)) == own
    assert merge(own, "#cloud-config\n") == own
