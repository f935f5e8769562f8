import pytest
from tests.unit.build.engines.samples import Named, needed

from quarterdeck.build.engines.capability import LANGUAGE, Capability, buildah_capabilities, docker_capabilities, frontend_capabilities
from quarterdeck.build.engines.choice import choose_engine, lacking
from quarterdeck.build.engines.needs import understood
from quarterdeck.build.nodes.model import EngineName
from quarterdeck.errors import HostError, TargetError

C = Capability
BUILDAH = Named(EngineName.BUILDAH, "1.28.2", buildah_capabilities((1, 28)))
DOCKER = Named(EngineName.DOCKER, "20.10.24", docker_capabilities((20, 10)))


@pytest.mark.parametrize(
    ("line", "capability"),
    [
        ("RUN <<X\necho\nX", C.HEREDOC),
        ("RUN --mount=type=cache,target=/c true", C.MOUNT),
        ("RUN --mount=type=secret,id=a,env=A true", C.SECRET_ENV),
        ("RUN --network=none true", C.RUN_NETWORK),
        ("RUN --security=insecure true", C.RUN_SECURITY),
        ("COPY --link a b", C.COPY_LINK),
        ("COPY --parents a b/", C.COPY_PARENTS),
        ("COPY --exclude=x a b", C.COPY_EXCLUDE),
        ("COPY --chmod=644 a b", C.COPY_CHMOD),
        ("ADD --checksum=sha256:" + "0" * 64 + " http://x/y /", C.ADD_CHECKSUM),
        ("ADD https://github.com/a/b.git /b", C.ADD_GIT),
        ("ADD git@github.com:a/b.git /b", C.ADD_GIT),
        ("ENV B=${A#x}", C.SUBSTITUTION),
        ("ONBUILD COPY --link a b", C.COPY_LINK),
    ],
)
def test_a_dockerfile_needs_what_its_instructions_use(line: str, capability: Capability) -> None:
    assert needed(f"FROM scratch\n{line}\n").where[capability] == "Dockerfile:2"


@pytest.mark.parametrize("line", ["RUN echo ${A#x}", "ADD https://x/y.tar /", "ENV A=${B:-c}", "RUN --mount=type=secret,id=a true"])
def test_what_only_looks_alike_needs_nothing_new(line: str) -> None:
    assert set(needed(f"FROM scratch\n{line}\n").where) <= {C.MOUNT}


def test_flags_need_what_they_name() -> None:
    needs = needed(
        "FROM scratch\n",
        secrets=("id=a",),
        ssh=("default",),
        build_contexts={"a": "b"},
        annotations={"a": "b"},
        provenance="mode=max",
        cache_from=("repo/cache",),
        cache_to=("type=local,dest=x", "type=inline"),
    )
    assert set(needs.where) == {
        C.SECRETS, C.SSH, C.BUILD_CONTEXT, C.ANNOTATIONS, C.ATTESTATIONS, C.CACHE_FROM, C.CACHE_TO, C.CACHE_INLINE, C.CACHE_TYPES,
    }  # fmt: skip
    assert needs.where[C.SECRETS] == "--secret"


def test_no_provenance_needs_nothing() -> None:
    assert not needed("FROM scratch\n", provenance="false", sbom="false").where


@pytest.mark.parametrize(
    ("syntax", "has_heredoc", "has_parents"),
    [
        ("docker/dockerfile:1", True, True),
        ("docker/dockerfile:1.2", False, False),
        ("docker.io/docker/dockerfile:1.7-labs", True, True),
        ("mirror:5000/docker/dockerfile:1.4.3@sha256:abc", True, False),
        ("docker/dockerfile", True, True),
        ("docker/dockerfile-upstream:master", True, True),
        ("somebody/else", True, True),
    ],
)
def test_the_frontend_that_is_named_decides(syntax: str, has_heredoc: bool, has_parents: bool) -> None:
    have = understood(docker_capabilities((20, 10)), syntax)
    assert (C.HEREDOC in have, C.COPY_PARENTS in have) == (has_heredoc, has_parents)


def test_engines_that_load_no_frontend_ignore_it() -> None:
    have = buildah_capabilities((1, 28))
    assert understood(have, "docker/dockerfile:1") == have
    assert not needed("# syntax=docker/dockerfile:1\nFROM scratch\n").where
    assert C.FRONTEND in needed("# syntax=somebody/else\nFROM scratch\n").where


def test_a_build_argument_replaces_the_frontend() -> None:
    needs = needed("# syntax=docker/dockerfile:1.2\nFROM scratch\nRUN <<X\nX\n", build_args={"BUILDKIT_SYNTAX": "docker/dockerfile:1.4"})
    assert not lacking(DOCKER, needs)


def test_what_is_lacking_is_named_with_its_place() -> None:
    assert lacking(BUILDAH, needed("FROM scratch\nRUN <<X\necho\nX\n")) == {C.HEREDOC: "Dockerfile:2"}


def test_buildkit_is_preferred_and_the_choice_says_why() -> None:
    choice = choose_engine([BUILDAH, DOCKER], needed("FROM scratch\n"))
    assert (choice.engine, choice.reason) == (DOCKER, "it can do all that is needed")


def test_another_engine_is_chosen_when_the_first_lacks_something() -> None:
    choice = choose_engine([BUILDAH, DOCKER], needed("FROM scratch\n", build_contexts={"a": "b"}))
    assert choice.engine is BUILDAH
    assert choice.reason == "docker 20.10.24 lacks --build-context"


def test_a_preferred_engine_is_taken_if_it_can() -> None:
    choice = choose_engine([BUILDAH, DOCKER], needed("FROM scratch\n"), preference=EngineName.BUILDAH)
    assert (choice.engine, choice.reason) == (BUILDAH, "it is asked for")


def test_no_engine_that_can_is_an_error_that_names_what_each_lacks() -> None:
    with pytest.raises(TargetError) as error:
        choose_engine([BUILDAH, DOCKER], needed("FROM scratch\nRUN <<X\necho\nX\n"))
    assert "docker 20.10.24 lacks here-documents (Dockerfile:2)" in error.value.reason
    assert "buildah 1.28.2 lacks here-documents (Dockerfile:2)" in error.value.reason


def test_no_engine_at_all_is_an_error() -> None:
    with pytest.raises(HostError):
        choose_engine([], needed("FROM scratch\n"))


def test_labels_of_the_language_are_all_in_the_newest_frontend() -> None:
    assert frontend_capabilities((1, 99), labs=True) == LANGUAGE
