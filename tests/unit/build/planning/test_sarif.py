import json

import pytest
from tests.unit.build.planning.sarif_schema import Log

from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.nodes.choice import Emulation
from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.planning.make import make_plan
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.planning.sarif import RULES, findings_of, to_sarif
from quarterdeck.build.platform import Platform

AMD, ARM, S390, RISCV = map(Platform.parse, ("linux/amd64", "linux/arm64", "linux/s390x", "linux/riscv64"))
LOCAL = NodeFacts(name="local", platforms={AMD: Runs.NATIVE, ARM: Runs.EMULATED, RISCV: Runs.EMULATED})
TEXT = "FROM debian AS build\nRUN gcc \\\n  x.c\nRUN true\n"


def log(*platforms, emulation=Emulation.WARN, file="images/a b/Dockerfile"):
    made = make_plan(parse(TEXT), platforms, [LOCAL], PlanOptions(emulation=emulation))
    return json.loads(json.dumps(to_sarif(file, findings_of(made))))


def check_shape(document):
    """What the schema and section 3 of the standard demand of the parts that are used."""
    Log.model_validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            assert not set(" \\") & set(place["artifactLocation"]["uri"])
            region = place.get("region", {"startLine": 1, "endLine": 1})
            assert 1 <= region["startLine"] <= region["endLine"]
    return run["results"]


def test_emulated_steps_are_warnings_on_their_lines_once_for_all_platforms():
    results = check_shape(log(AMD, ARM, RISCV))
    assert [(one["ruleId"], one["level"], one["locations"][0]["physicalLocation"]["region"]) for one in results] == [
        ("emulated-step", "warning", {"startLine": 2, "endLine": 3}),
        ("emulated-step", "warning", {"startLine": 4, "endLine": 4}),
    ]
    assert "linux/arm64, linux/riscv64" in results[0]["message"]["text"]


@pytest.mark.parametrize(("emulation", "level", "rule"), [("allow", "note", "emulated-step"), ("never", "error", "emulation-forbidden")])
def test_policy_decides_the_level(emulation, level, rule):
    assert {(one["level"], one["ruleId"]) for one in check_shape(log(ARM, emulation=Emulation(emulation)))} == {(level, rule)}


def test_what_cannot_run_is_an_error():
    (result,) = check_shape(log(S390))
    assert (result["ruleId"], result["level"]) == ("platform-cannot-run", "error")


def test_nothing_to_say_is_an_empty_log_with_all_rules():
    document = log(AMD)
    assert check_shape(document) == []
    assert [rule["id"] for rule in document["runs"][0]["tool"]["driver"]["rules"]] == list(RULES)


def test_path_is_relative_to_the_source_root_or_a_file_url():
    def place(file):
        return check_shape(log(ARM, file=file))[0]["locations"][0]["physicalLocation"]["artifactLocation"]

    assert place("images/a b/Dockerfile") == {"uri": "images/a%20b/Dockerfile", "uriBaseId": "%SRCROOT%"}
    assert place("/srv/Dockerfile") == {"uri": "file:///srv/Dockerfile"}
