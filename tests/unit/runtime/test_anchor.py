import pytest

from quarterdeck.errors import UsageError
from quarterdeck.machine.spec import (
    CdromSpec,
    DiskSpec,
    DisplayKind,
    DisplaySpec,
    FetchSpec,
    MachineSpec,
    ProvisionSpec,
    ShareSpec,
    ViewerSpec,
    ViewerTls,
)
from quarterdeck.runtime.anchor import anchor

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0F0fFhyC4RYlZqNvJAcmkYqNyoWgkuzIuZCi5u1VQH me@home"


def test_relative_paths_become_absolute(tmp_path):
    spec = MachineSpec(
        boot="sub/disk.qcow2", disks=(DiskSpec(image="a.raw"),), cdroms=(CdromSpec(image="../b.iso"),), shares=(ShareSpec(path="."),)
    )
    fixed = anchor(spec, tmp_path)
    assert fixed.boot == str(tmp_path / "sub/disk.qcow2")
    assert fixed.disks[0].image == str(tmp_path / "a.raw")
    assert fixed.cdroms[0].image == str(tmp_path.parent / "b.iso")
    assert fixed.shares[0].path == str(tmp_path)


@pytest.mark.parametrize("boot", ["debian", "debian:trixie"])
def test_catalogue_names_are_no_paths_even_when_such_a_file_exists(tmp_path, boot):
    (tmp_path / boot).touch()
    assert anchor(MachineSpec(boot=boot), tmp_path).boot == boot


def test_word_names_a_file_only_when_there_is_one(tmp_path):
    (tmp_path / "disk.img").touch()
    assert anchor(MachineSpec(boot="disk.img"), tmp_path).boot == str(tmp_path / "disk.img")
    assert anchor(MachineSpec(boot="other.img"), tmp_path).boot == "other.img"


@pytest.mark.parametrize("boot", ["mint", "mint:22", "https://example.org/disk.qcow2"])
def test_names_and_urls_are_no_files(tmp_path, boot):
    (tmp_path / "mint").mkdir()
    assert anchor(MachineSpec(boot=boot), tmp_path).boot == boot


def test_file_urls_are_the_files_that_they_name(tmp_path):
    spec = MachineSpec(boot="file:///images/My%20Disk.img", disks=(DiskSpec(image="file://localhost/a.raw"),))
    fixed = anchor(spec, tmp_path)
    assert (fixed.boot, fixed.disks[0].image) == ("/images/My Disk.img", "/a.raw")
    with pytest.raises(UsageError):
        anchor(MachineSpec(boot="file://elsewhere/disk.img"), tmp_path)


def test_catalogues_are_fixed_to_where_the_user_stood(tmp_path):
    fetch = FetchSpec(catalogue=("entries", "https://example.org/entries.yaml"))
    assert anchor(MachineSpec(fetch=fetch), tmp_path).fetch.catalogue == (str(tmp_path / "entries"), "https://example.org/entries.yaml")


def test_user_data_is_a_text_or_a_file_of_it(tmp_path):
    (tmp_path / "own.yaml").write_text("#cloud-config\n{}\n")
    text = "#cloud-config\nntp: {}\n"
    fixed = anchor(MachineSpec(provision=ProvisionSpec(user_data="own.yaml", vendor_data=text, network_config="{version: 2}")), tmp_path)
    assert fixed.provision.user_data == "#cloud-config\n{}\n"
    assert (fixed.provision.vendor_data, fixed.provision.network_config) == (text, "{version: 2}")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * ((1 << 20) + 1)])
def test_user_data_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "own.yaml").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        anchor(MachineSpec(provision=ProvisionSpec(user_data="own.yaml")), tmp_path)
    assert "user_data" in caught.value.message


def test_nothing_is_made_of_nothing(tmp_path):
    assert anchor(MachineSpec(), tmp_path) == MachineSpec()


def test_key_files_are_read_and_keys_kept(tmp_path):
    (tmp_path / "id.pub").write_text(f"# mine\n{KEY}\n\n")
    keys = anchor(MachineSpec(provision=ProvisionSpec(ssh_keys=("id.pub", KEY))), tmp_path).provision.ssh_keys
    assert keys == (KEY, KEY)


def test_private_key_is_refused_with_the_right_file_as_hint(tmp_path):
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(UsageError) as caught:
        anchor(MachineSpec(provision=ProvisionSpec(ssh_keys=("id",))), tmp_path)
    assert "id.pub" in caught.value.hint


def test_missing_key_file_is_named(tmp_path):
    with pytest.raises(UsageError) as caught:
        anchor(MachineSpec(provision=ProvisionSpec(ssh_keys=("none.pub",))), tmp_path)
    assert str(tmp_path / "none.pub") in caught.value.message


def test_files_of_secrets_and_certificates_become_absolute(tmp_path):
    viewer = ViewerSpec(
        tls=ViewerTls.FILES, tls_certificate="c.pem", tls_key="k.pem", password_file="p", token_file="t", view_token_file="/v"
    )
    display = DisplaySpec(kind=DisplayKind.SPICE, spice_port=5930, spice_tls="tls")
    fixed = anchor(MachineSpec(viewer=viewer, display=display), tmp_path)
    found = [fixed.viewer.tls_certificate, fixed.viewer.tls_key, fixed.viewer.password_file, fixed.viewer.token_file]
    assert [*found, fixed.display.spice_tls] == [str(tmp_path / name) for name in ("c.pem", "k.pem", "p", "t", "tls")]
    assert fixed.viewer.view_token_file == "/v"
