import pytest

from quarterdeck.errors import SpecError
from quarterdeck.machine.load import load_spec


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("tls: files", "viewer.tls: 'files' needs 'tls_certificate'"),
        ("tls: files, tls_certificate: /c", "'files' needs 'tls_key'"),
        ("tls: generated, tls_key: /k", "viewer.tls_key: has no effect with 'tls: generated'"),
        ("tls_certificate: /c", "has no effect with 'tls: off'"),
        ("open: true, token_file: /t", "viewer.open: contradicts 'token_file'"),
        ("tls: maybe", "viewer.tls"),
    ],
)
def test_a_viewer_that_contradicts_itself_is_refused(fields, told):
    with pytest.raises(SpecError) as caught:
        load_spec(f"boot: debian\nviewer: {{{fields}}}\n", "s.yaml")
    assert told in caught.value.reason


def test_a_viewer_with_all_of_its_own_is_fine():
    spec = load_spec("viewer: {tls: files, tls_certificate: /c, tls_key: /k, user: ann, password_file: /p, view_token_file: /v}", "s")
    assert spec.viewer.user == "ann"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("display: {spice_port: 5930}", "has no effect with the kind 'vnc'"),
        ("display: {kind: spice, spice_tls: /tls}", "is for a TCP port"),
        ("display: {kind: spice, spice_port: 8006}\nviewer: {port: 8006}", "is the viewer's"),
        ("display: {kind: spice, spice_port: 5930}\nnetworks: [{ports: ['5930:1']}]", "where SPICE listens"),
    ],
)
def test_a_spice_port_that_contradicts_something_is_refused(spec, told):
    with pytest.raises(SpecError) as caught:
        load_spec(spec, "s.yaml")
    assert told in caught.value.reason
