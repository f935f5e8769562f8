"""YAML to MachineSpec, and every way to get it wrong."""

import json

import pytest

from quarterdeck.errors import Problem, SpecError
from quarterdeck.machine.load import json_schema, load_spec, spec_from_json, spec_to_json
from quarterdeck.machine.spec import DiskBus, Firmware, MachineSpec


def problems(text: str | bytes) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        load_spec(text, "machine.yaml")
    return list(caught.value.problems)


def only(text: str | bytes) -> Problem:
    (problem,) = problems(text)
    return problem


def test_one_line_is_a_whole_spec() -> None:
    assert load_spec("boot: debian", "x") == MachineSpec(boot="debian")


def test_values_become_types() -> None:
    spec = load_spec("memory: 1.5G\ncpus: max\nfirmware: uefi-secure\ndisks: [{size: 20G, bus: nvme}]\nnetworks: []", "x")
    assert (spec.memory, spec.cpus, spec.firmware, spec.networks) == (3 << 29, "max", Firmware.UEFI_SECURE, ())
    assert (spec.disks[0].size, spec.disks[0].bus) == (20 << 30, DiskBus.NVME)


def test_json_is_yaml() -> None:
    assert load_spec('{"boot": "debian", "cpus": 4}', "x") == MachineSpec(boot="debian", cpus=4)


def test_numbers_may_be_hexadecimal_and_grouped() -> None:
    spec = load_spec("usb: [{vendor: 0x1d6b, product: 0x0002}]\nmemory: 4_294_967_296", "x")
    assert (spec.usb[0].vendor, spec.memory) == (0x1D6B, 1 << 32)


def test_words_that_older_yaml_reads_as_something_else_stay_text() -> None:
    assert load_spec("name: no\nnetworks: [{mac: 12:34:56:00:00:00}]", "x").name == "no"


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = "cpus: lots\nnetworks:\n  - ports: [80]\n    mdoe: user\nprovision:\n  files:\n    - path: relative\ndisk: 20G\n"
    assert [str(problem) for problem in problems(text)] == [
        "line 1: cpus: must be a whole number or 'half' or 'max'",
        "line 3: networks[0].ports[0]: must be text",
        "line 4: networks[0].mdoe: there is no such field (did you mean 'mode'?)",
        "line 7: provision.files[0].path: must be an absolute path",
        "line 7: provision.files[0].content: is required",
        "line 8: disk: there is no such field (did you mean 'disks'?)",
    ]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("firmware: ueif", "must be 'auto', 'uefi', 'uefi-secure' or 'bios'", "did you mean 'uefi'?"),
        ("memory: much", "must be a size such as 512M or 20G or 'half' or 'max'", ""),
        ("cpus: 0", "must be at least 1 or 'half' or 'max'", ""),
        ("cpus: 2.5", "must be a whole number or 'half' or 'max'", ""),
        ("tpm: yes", "must be true or false", ""),
        ("name: Big", "must be lower-case letters, digits, '.', '_' or '-', at most 63, and begin and end with a letter or digit", ""),
        ("boot: ''", "must not be empty", ""),
        ("boot: 2024-01-01", "is a timestamp, which no field takes", "put it in quotes"),
        ("boot: !secret x", "is a !secret, which no field takes", ""),
        ("disks: 20G", "must be a list", ""),
        ("display: vnc", "must be a mapping of fields", ""),
        ("viewer: {port: 70000}", "must be at most 65535", ""),
        ("networks: [{mac: nonsense}]", "must be a MAC address such as 52:54:00:12:34:56", ""),
        ("display: {resolution: big}", "must be WIDTHxHEIGHT, such as 1280x800", ""),
        ("provision: {files: [{path: /a, content: b, mode: '9'}]}", "must be octal digits in quotes, such as '0644'", ""),
        ("qemu_args: -nographic", "must be a list", ""),
        ('boot: "a\\0b"', "must be one line without NUL", ""),
    ],
)
def test_a_problem_is_said_in_plain_words(text: str, message: str, hint: str) -> None:
    problem = only(text)
    assert (problem.message.removeprefix("Value error, "), problem.hint, problem.line) == (message, hint, 1)


def test_a_list_of_commands_names_the_word_that_is_wrong() -> None:
    assert only("provision:\n  commands:\n    - ok\n    - [a,\n       3]").line == 5


def test_a_key_given_twice_is_a_problem() -> None:
    assert str(only("cpus: 1\ncpus: 2")) == "line 2: cpus: is given twice, first in line 1"


def test_a_key_that_is_no_text_is_a_problem() -> None:
    assert str(only("boot: x\n1: y")) == "line 2: a field name must be text (put it in quotes)"


@pytest.mark.parametrize("text", ["[]", "boot", "", "3", "# nothing"])
def test_a_spec_is_a_mapping(text: str) -> None:
    assert only(text).message == "a spec is a mapping of fields, such as 'boot: debian'"


@pytest.mark.parametrize("text", ["a: [", "a: 'b", "\tb: c", "a: b: c", "%YAML 9.9\n---\na: b", "&a", "*a", "a: \x07"])
def test_what_is_not_yaml_says_so(text: str) -> None:
    assert problems(text)


def test_a_syntax_error_has_its_line() -> None:
    problem = only("boot: debian\ndisks:\n  - size: [1")
    assert problem.line == 3
    assert problem.message.startswith("not YAML: ")


def test_anchors_and_merged_mappings_work() -> None:
    text = "boot: debian\ndisks:\n  - &disk {size: 1G, bus: nvme}\n  - *disk\n  - <<: *disk\n    bus: sata\n"
    spec = load_spec(text, "x")
    assert spec.disks[0] == spec.disks[1]
    assert (spec.disks[2].size, spec.disks[2].bus) == (1 << 30, DiskBus.SATA)


def test_aliases_cannot_make_a_small_text_large() -> None:
    levels = "\n".join(f"l{number}: &l{number} [{', '.join([f'*l{number - 1}'] * 10)}]" for number in range(1, 9))
    assert any("holds more than" in problem.message for problem in problems(f"l0: &l0 [x]\n{levels}\n"))


def test_merged_aliases_cannot_either() -> None:
    levels = "\n".join(f"l{number}: &l{number}\n  <<: [{', '.join([f'*l{number - 1}'] * 10)}]" for number in range(1, 9))
    assert problems(f"l0: &l0 {{a: b}}\n{levels}\n")


def test_a_structure_that_holds_itself_is_refused() -> None:
    assert only("a: &a [*a]").message == "is nested too deeply"


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "- " * 5000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert problems(text)


def test_a_large_text_is_refused() -> None:
    assert only("a" * (3 << 20)).message == "is larger than 2 MiB"


def test_bytes_that_are_no_text_name_their_line() -> None:
    assert str(only(b"boot: x\nname: \xff")) == "line 2: is not UTF-8 text"


def test_a_number_with_thousands_of_digits_is_refused() -> None:
    assert only("cpus: " + "9" * 5000).message.startswith("is not a number")


def test_the_stored_form_reads_back() -> None:
    spec = load_spec("boot: debian\ncpus: half\ndisks: [{size: 1G}]\nprovision: {commands: [a, [b, c]]}\nmemory: 3G", "x")
    assert spec_from_json(spec_to_json(spec)) == spec


def test_the_stored_form_leaves_defaults_out() -> None:
    assert json.loads(spec_to_json(MachineSpec(boot="debian"))) == {"boot": "debian"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cpus": "x"}', '{"new": 1}', b"\xff"])
def test_a_damaged_stored_spec_is_a_spec_error(text: str | bytes) -> None:
    with pytest.raises(SpecError):
        spec_from_json(text)


def test_the_schema_describes_every_field() -> None:
    schema = json_schema()
    assert schema["$id"].startswith("urn:quarterdeck:")
    assert schema["properties"]["cpu_model"]["description"].startswith("QEMU's ``-cpu``")
    assert schema["additionalProperties"] is False
    assert "DiskSpec" in schema["$defs"]
