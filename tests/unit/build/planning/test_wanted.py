import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.planning.model import PlanOptions
from quarterdeck.build.planning.wanted import wanted_platforms
from quarterdeck.build.platform import Platform
from quarterdeck.errors import UsageError

ARM, HOST = Platform.parse("linux/arm64"), Platform.of_host()


def wanted(text, *platforms, **options):
    found = wanted_platforms(parse(text), [Platform.parse(platform) for platform in platforms], PlanOptions(**options))
    return {str(platform) for platform in found}


def test_targets_are_wanted_and_no_others():
    assert wanted("FROM debian\nRUN true\n", "linux/arm64", "linux/riscv64") == {"linux/arm64", "linux/riscv64"}


def test_stages_with_platforms_of_their_own_are_wanted_too():
    text = "ARG OTHER=linux/s390x\nFROM --platform=$BUILDPLATFORM a AS one\nFROM --platform=$OTHER b AS two\n"
    text += "FROM c\nCOPY --from=one / /\nCOPY --from=two / /\n"
    assert wanted(text, "linux/arm64") == {"linux/arm64", str(HOST), "linux/s390x"}
    assert wanted(text, "linux/arm64", arguments={"OTHER": "linux/386"}) == {"linux/arm64", str(HOST), "linux/386"}


def test_stages_that_the_target_does_not_need_are_left_out():
    text = "FROM --platform=linux/s390x b AS other\nFROM c AS last\n"
    assert wanted(text, "linux/arm64") == {"linux/arm64"}
    assert "linux/s390x" in wanted(text, "linux/arm64", stage="other")


def test_what_cannot_be_planned_is_refused_before_any_node_is_asked():
    with pytest.raises(UsageError):
        wanted("FROM c\n", "linux/arm64", stage="nosuch")
    with pytest.raises(DockerfileError):
        wanted("FROM c\nCOPY --from=9 / /\n", "linux/arm64")
