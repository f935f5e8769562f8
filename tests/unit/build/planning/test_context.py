import pytest

from quarterdeck.build.dockerfile.errors import DockerfileError
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.build.planning.context import missing_files
from quarterdeck.build.platform import Platform
from quarterdeck.build.stages.resolve import resolve_stages

AMD, ARM = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


@pytest.fixture
def context(tmp_path):
    for name in ("here", "secret", "folder/inner"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def missing(text, context, file=None):
    graphs = [resolve_stages(parse(text), target=target, build=AMD, arguments={}) for target in (AMD, ARM)]
    return list(missing_files(graphs, "Dockerfile", context, file))


def test_a_file_that_is_not_there_is_named_once_with_its_line(context):
    assert missing("FROM a\nCOPY here /folder ../here ./none /x/\n", context) == [
        f"Dockerfile:2: COPY ./none: the context {context} has no such file"
    ]


def test_what_only_a_builder_knows_is_left_to_it(context):
    text = (
        "FROM a AS x\nFROM a AS b\nARG N=none\nCOPY --from=x none /\nCOPY n*ne $N <<E /x/\nE\nADD https://example.org/none git@h:none /x/\n"
        "COPY --parents none/./x /\nCOPY . /\nRUN true\n"
    )
    assert missing(text, context) == []
    assert missing("FROM a AS unneeded\nCOPY none /\nFROM b\n", context) == []


def test_what_is_ignored_is_named_with_the_file_that_does_so(context):
    text = "FROM a\nCOPY secret folder /x/\n"
    (context / ".dockerignore").write_text("secret\nfolder\n!folder/inner\n")
    assert missing(text, context) == [f"Dockerfile:2: COPY secret: {context}/.dockerignore leaves it out of the context"]
    (context / "My.dockerignore").write_text("folder\n")
    assert missing(text, context, context / "My") == [f"Dockerfile:2: COPY folder: {context}/My.dockerignore leaves it out of the context"]
    (context / ".containerignore").write_text("")
    assert missing(text, context, context / "My") == []


def test_a_wrong_ignore_file_is_refused_with_its_line(context):
    (context / ".dockerignore").write_text("a\n!\n")
    with pytest.raises(DockerfileError, match="dockerignore:2"):
        missing("FROM a\n", context)
