import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from quarterdeck.console import certificate
from quarterdeck.console.certificate import GeneratedCertificate, fingerprint
from quarterdeck.console.tls import Tls
from quarterdeck.errors import UsageError


def names(path: Path) -> set[str]:
    found = x509.load_pem_x509_certificate(path.read_bytes()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(entry.value) for entry in found.value}


def test_a_certificate_is_made_once_and_good_for_all_names(tmp_path):
    path = tmp_path / "viewer.pem"
    wanted = ["192.0.2.7", "Desk.example.", "b\u00fccher.example", "fe80::1%eth0", "a..b"]
    assert GeneratedCertificate(path, wanted, also=["today"]).files() == (path, path)
    assert names(path) == {
        "localhost", "127.0.0.1", "::1", "192.0.2.7", "desk.example", "xn--bcher-kva.example", "fe80::1", "today",
    }  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600
    before = fingerprint(path)
    GeneratedCertificate(path, wanted, also=["tomorrow"]).files()
    assert fingerprint(path) == before
    assert len(before) == 95


def test_another_name_a_damaged_file_and_a_near_end_make_a_new_one(tmp_path, monkeypatch):
    path = tmp_path / "viewer.pem"
    made = GeneratedCertificate(path, [])
    made.files()
    seen = [fingerprint(path)]
    GeneratedCertificate(path, ["desk.example"]).files()
    seen.append(fingerprint(path))
    path.write_text("-----BEGIN CERTIFICATE-----\nno\n")
    GeneratedCertificate(path, []).files()
    seen.append(fingerprint(path))
    later = datetime.now(UTC) + timedelta(days=370)
    monkeypatch.setattr(certificate, "_now", lambda: later)
    made.files()
    seen.append(fingerprint(path))
    assert len(set(seen)) == 4


def test_files_are_read_again_when_they_change_and_kept_when_they_are_worse(tmp_path):
    path = tmp_path / "viewer.pem"
    GeneratedCertificate(path, []).files()
    tls = Tls(lambda: (path, path))
    first = tls.context()
    assert tls.context() is first
    assert first.minimum_version is ssl.TLSVersion.TLSv1_2
    path.write_text("rubbish")
    assert tls.context() is first
    path.unlink()
    assert tls.context() is first
    GeneratedCertificate(path, ["desk.example"]).files()
    assert tls.context() is not first


@pytest.mark.parametrize("content", [None, "", "rubbish"])
def test_files_that_are_no_certificate_are_refused(tmp_path, content):
    path = tmp_path / "cert.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError) as caught:
        Tls(lambda: (path, path))
    assert caught.value.key == "bad-certificate"
    assert str(path) in caught.value.reason
