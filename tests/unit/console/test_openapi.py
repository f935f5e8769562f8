import re

import pytest

from quarterdeck.console.app import PREFIX, ROUTES
from quarterdeck.console.openapi import describe
from quarterdeck.console.schemas import SCHEMAS
from quarterdeck.runtime.state import State
from quarterdeck.runtime.statefile import StoredState
from quarterdeck.runtime.view import machine_json


@pytest.fixture
def document():
    return describe(ROUTES, prefix=PREFIX)


def test_every_route_of_the_contract_is_there():
    assert {(route.method, route.path) for route in ROUTES} == {
        ("GET", "/machine"),
        *(("POST", f"/machine/{action}") for action in ("start", "stop", "restart", "reset", "pause", "resume", "kill")),
        *(("GET", path) for path in ("/events", "/metrics", "/guest", "/screenshot", "/logs/{name}", "/session", "/vnc", "/serial")),
        ("GET", "/openapi.json"),
        ("POST", "/keys"),
        ("POST", "/links"),
        ("POST", "/logout"),
        ("POST", "/spice"),
        ("GET", "/snapshots"),
        ("GET", "/disks"),
        ("GET", "/usb"),
        ("POST", "/usb/attach"),
        ("POST", "/usb/detach"),
        *(("POST", f"/snapshots{rest}") for rest in ("", "/restore", "/remove")),
        *(("POST", path) for path in ("/backup", "/clone", "/copy", "/disks/grow", "/storage/cancel")),
    }


def test_the_description_has_every_route_and_no_other(document):
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES}


def test_operation_names_are_unique():
    names = [route.operation for route in ROUTES]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def test_every_placeholder_is_a_described_parameter():
    for route in ROUTES:
        described = [parameter.name for parameter in route.parameters if parameter.place == "path"]
        assert described == re.findall(r"{(\w+)}", route.path)


def test_every_reference_leads_somewhere(document):
    references = re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document))
    assert set(references) <= set(SCHEMAS)
    assert set(SCHEMAS) - set(references) == {"Event"}  # only event streams use it; OpenAPI 3.1 has no word for their items


def test_routes_that_change_something_say_that_they_may_be_refused(document):
    for route in ROUTES:
        responses = document["paths"][route.path][route.method.lower()]["responses"]
        assert "401" in responses
        assert ("403" in responses) or route.method == "GET"
        assert "default" in responses


def test_the_machine_of_the_runtime_has_the_described_fields():
    added = {"agent", "login", "steps", "view_only", "viewer_open"}
    assert set(machine_json("demo", StoredState())) | added == set(SCHEMAS["Machine"]["required"])


def test_every_state_of_the_runtime_is_described():
    assert {state.value for state in State} == set(SCHEMAS["Machine"]["properties"]["state"]["enum"])
