from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from quarterdeck.errors import UsageError
from quarterdeck.provision.cloud_init import FirstBoot, FirstBootFile, meta_data, network_config, to_yaml, user_data

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcmhhc2hmb29iYXJoYXNoZm9vYmFyaGFzaGZv me@example"
BOOT = FirstBoot(hostname="box", user="debian", instance_id="i-1")

texts = st.text(st.characters(exclude_categories=["Cs"]))


def as_cloud_init_reads(text: str):
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml.load(text)


def test_user_data_begins_with_the_line_that_cloud_init_looks_for():
    assert user_data(BOOT).startswith("#cloud-config\n")


@settings(deadline=None)
@given(texts)
def test_any_text_survives_a_yaml_1_1_reader(text):
    assert as_cloud_init_reads(to_yaml({"value": text, "list": [text]})) == {"value": text, "list": [text]}


@pytest.mark.parametrize("word", ["no", "yes", "12:34:56", "0x10", "~", "null", "1e3", "", " ", "- a", "# b"])
def test_words_that_yaml_1_1_would_reinterpret_stay_text(word):
    assert as_cloud_init_reads(user_data(replace(BOOT, commands=(word,))))["runcmd"] == [word]


def test_without_password_the_login_is_locked_and_ssh_takes_keys_only():
    config = as_cloud_init_reads(user_data(replace(BOOT, ssh_keys=(KEY,))))
    assert config["users"][0]["lock_passwd"] is True
    assert config["users"][0]["ssh_authorized_keys"] == [KEY]
    assert config["ssh_pwauth"] is False
    assert "chpasswd" not in config


def test_a_password_is_set_without_expiry_and_allows_ssh():
    config = as_cloud_init_reads(user_data(replace(BOOT, password='pa"ss: #word')))
    assert config["chpasswd"] == {"expire": False, "users": [{"name": "debian", "password": 'pa"ss: #word', "type": "text"}]}
    assert config["ssh_pwauth"] is True


@pytest.mark.parametrize("password", ["", "two\nlines", "nul\x00", "tab\t"])
def test_a_password_that_cannot_be_typed_is_refused(password):
    with pytest.raises(UsageError) as caught:
        user_data(replace(BOOT, password=password))
    assert caught.value.key == "invalid-password"


def test_the_user_may_become_root_without_a_password():
    assert as_cloud_init_reads(user_data(BOOT))["users"][0]["sudo"] == "ALL=(ALL) NOPASSWD:ALL"


def test_root_as_the_login_needs_no_sudo_and_is_not_disabled():
    config = as_cloud_init_reads(user_data(replace(BOOT, user="root")))
    assert "sudo" not in config["users"][0]
    assert config["disable_root"] is False


def test_a_domain_name_gives_a_short_host_name_and_the_full_one():
    config = as_cloud_init_reads(user_data(replace(BOOT, hostname="box.example.org")))
    assert (config["hostname"], config["fqdn"]) == ("box", "box.example.org")


def test_files_of_other_users_are_written_after_the_users_exist():
    files = (FirstBootFile(path="/a", content="1"), FirstBootFile(path="/b", content="2", owner="debian:debian", mode="0600"))
    first, second = as_cloud_init_reads(user_data(replace(BOOT, files=files)))["write_files"]
    assert "defer" not in first
    assert second == {"path": "/b", "content": "2", "owner": "debian:debian", "permissions": "0600", "defer": True}


def test_packages_are_installed_from_fresh_lists():
    config = as_cloud_init_reads(user_data(replace(BOOT, packages=("nginx", "libc6:arm64", "g++=4:12.2"))))
    assert config["packages"] == ["nginx", "libc6:arm64", "g++=4:12.2"]
    assert config["package_update"] is True


@pytest.mark.parametrize("name", ["--force", "a b", "a;b", "", "ä"])
def test_a_package_name_that_could_be_an_option_is_refused(name):
    with pytest.raises(UsageError):
        user_data(replace(BOOT, packages=(name,)))


def test_commands_stay_lines_or_lists():
    assert as_cloud_init_reads(user_data(replace(BOOT, commands=("a | b", ("c", "d e")))))["runcmd"] == ["a | b", ["c", "d e"]]


def test_meta_data_names_the_instance():
    assert as_cloud_init_reads(meta_data(BOOT)) == {"instance-id": "i-1", "local-hostname": "box"}


def test_network_config_is_left_to_the_image_without_cards():
    assert network_config(BOOT) == ""


def test_network_config_matches_cards_by_address():
    config = as_cloud_init_reads(network_config(replace(BOOT, macs=("52:54:00:12:34:56", "52:54:00:00:00:02"))))
    assert config["version"] == 2
    assert config["ethernets"]["net0"]["match"] == {"macaddress": "52:54:00:12:34:56"}
    assert config["ethernets"]["net1"]["optional"] is True
