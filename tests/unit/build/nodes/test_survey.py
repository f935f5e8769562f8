import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.nodes.model import EngineName
from quarterdeck.build.nodes.probe.script import provable, script
from quarterdeck.build.nodes.probe.survey import findings, parse_survey
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import TargetError


def answer(*lines: str, machine: str = "x86_64") -> str:
    head = ("kernel Linux", f"machine {machine}", "release 6.1.0", "user 0", "cpus 4", "memory 2048", "system debian")
    return "\n".join(f"quarterdeck:{line}" for line in (*head, *lines, "end"))


def entry(name: str, arch: str, flags: str) -> list[str]:
    elf = find_arch(arch).elf
    magic = elf.example()[:20]
    lines = [
        "enabled",
        f"interpreter /usr/bin/{name}",
        f"flags: {flags}",
        "offset 0",
        f"magic {magic.hex()}",
        f"mask {'ff' * 7 + '00' * 9 + 'ff' * 4}",
    ]
    return [f"entry {name} {line}" for line in lines]


def runs(survey):
    return {str(platform): how.value for platform, (how, _) in findings(survey)[0].items()}


def test_a_host_says_what_it_is_between_the_words_of_its_start_up_files():
    text = (
        "Welcome!\n"
        + answer("engine buildah buildah version 1.28.2 (image-spec 1.1)", "engine docker Docker version 20.10.24, build x")
        + "\nBye"
    )
    survey = parse_survey(text)
    assert (survey.arch.name, survey.cpus, survey.memory, survey.user) == ("x86_64", 4, 2048 * 1024, 0)
    assert [(engine.name, engine.version) for engine in survey.engines] == [(EngineName.BUILDAH, "1.28.2")]


def test_docker_is_an_engine_where_its_daemon_answers():
    down = parse_survey(answer("engine docker Docker version 28.0.1", "docker Cannot connect to the Docker daemon"))
    up = parse_survey(answer("engine docker Docker version 28.0.1", "docker 20.10.24+dfsg1"))
    assert down.engines == ()
    assert [(engine.name, engine.version) for engine in up.engines] == [(EngineName.DOCKER, "20.10.24+dfsg1")]


def test_what_ran_in_a_root_folder_of_its_own_is_native_or_emulated():
    survey = parse_survey(
        answer(*entry("qemu-aarch64", "aarch64", "OCF"), "ran x86_64 root 42", "ran aarch64 root 42", "ran riscv64 root 127")
    )
    found, notes = findings(survey)
    assert runs(survey) == {"linux/amd64": "native", "linux/arm64": "emulated"}
    assert [reason for _, reason in found.values()] == [
        "x86_64 runs it itself; a program of it ran in an empty root folder",
        "/usr/bin/qemu-aarch64 emulates it; a program of it ran in an empty root folder",
    ]
    assert notes == ()


def test_an_emulator_without_flag_f_does_not_count_for_users_who_cannot_change_root():
    survey = parse_survey(answer(*entry("qemu-aarch64", "aarch64", "OC"), "ran x86_64 plain 42", "ran aarch64 plain 42"))
    assert runs(survey) == {"linux/amd64": "native"}
    assert "no flag F" in findings(survey)[1][0]


def test_an_emulator_that_shadows_the_processor_is_seen():
    survey = parse_survey(answer(*entry("qemu-arm", "arm", "F"), "ran aarch64 root 42", "ran arm root 42", machine="aarch64"))
    assert runs(survey)["linux/arm/v7"] == runs(survey)["linux/arm/v6"] == "emulated"
    assert runs(survey)["linux/arm64"] == "native"
    assert "makes it be emulated" in findings(survey)[1][0]


def test_an_arm64_host_with_32_bit_arm_runs_it_natively():
    assert runs(parse_survey(answer("ran aarch64 root 42", "ran arm root 42", machine="aarch64")))["linux/arm/v7"] == "native"


def test_where_nothing_can_be_run_the_kernels_word_counts():
    survey = parse_survey(answer(machine="aarch64"))
    assert runs(survey) == {"linux/arm64": "native"}
    assert "noexec" in findings(survey)[1][0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "survey-cut-short"),
        ("This account is currently not available.", "survey-cut-short"),
        (answer().removesuffix("quarterdeck:end"), "survey-cut-short"),
        (answer().replace("kernel Linux", "kernel Darwin"), "node-not-linux"),
        (answer(machine="vax"), "node-arch-unknown"),
    ],
)
def test_what_is_no_linux_host_is_refused_in_words(text, key):
    with pytest.raises(TargetError) as caught:
        parse_survey(text)
    assert caught.value.key == key


@given(
    st.lists(
        st.tuples(st.sampled_from(["kernel", "cpus", "memory", "flags", "engine", "docker", "entry", "ran", "x"]), st.text()), max_size=20
    )
)
def test_a_hostile_host_cannot_make_the_parser_fail_otherwise(lines):
    text = answer(*(f"{key} {value}" for key, value in lines))
    survey = parse_survey(text)
    assert survey.cpus >= 1
    assert survey.memory >= 0


def test_the_script_has_a_program_of_each_architecture_and_no_line_of_a_login_shell():
    text = script(provable()).decode("ascii")
    assert text.count("&& prove ") == len(provable()) >= 12
    assert "MARK" not in text
    assert "PROGRAMS" not in text
