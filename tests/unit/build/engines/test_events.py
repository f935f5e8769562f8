import pytest

from quarterdeck.build.engines.events import BuildStep, named_step


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("[build 2/5] RUN make", BuildStep("k", "RUN make", "build", 2, 5)),
        ("[2/3] COPY a b", BuildStep("k", "COPY a b", "", 2, 3)),
        ("[stage-1  2/10] RUN x", BuildStep("k", "RUN x", "stage-1", 2, 10)),
        ("[linux/arm64 build 2/5] RUN make", BuildStep("k", "RUN make", "build", 2, 5, "linux/arm64")),
        ("[linux/amd64->arm64 build 2/5] RUN make", BuildStep("k", "RUN make", "build", 2, 5, "linux/amd64->arm64")),
        ("[linux/arm/v7 3/3] RUN make", BuildStep("k", "RUN make", "", 3, 3, "linux/arm/v7")),
        ("[internal] load .dockerignore", BuildStep("k", "load .dockerignore")),
        ("[linux/arm64 internal] load metadata for x", BuildStep("k", "load metadata for x", platform="linux/arm64")),
        ("exporting to image", BuildStep("k", "exporting to image")),
        ("[build 2/5] RUN \x1b[31mred", BuildStep("k", "RUN red", "build", 2, 5)),
        ("[build x/5] RUN", BuildStep("k", "[build x/5] RUN")),
    ],
)
def test_names_of_vertexes_say_stage_number_and_platform(name: str, step: BuildStep) -> None:
    assert named_step("k", name) == step


def test_a_title_has_what_is_known() -> None:
    assert BuildStep("k", "RUN make", "build", 2, 5, "linux/arm64").title == "[linux/arm64 build 2/5] RUN make"
    assert BuildStep("k", "exporting").title == "exporting"
