"""Whatever instructions stand together: advice is given, patches leave a Dockerfile, and safe ones leave nothing safe to do."""

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from tests.unit.build.advice.asking import graphs

from quarterdeck.build.advice import advise, apply, improve, unified_diff
from quarterdeck.build.dockerfile.parser import parse
from quarterdeck.errors import QuarterdeckError

_FLAGS = st.sampled_from(["", "--platform=$BUILDPLATFORM ", "--platform=$TARGETPLATFORM ", "--platform=linux/amd64 "])
_IMAGES = st.sampled_from(
    ["golang:1.24-alpine", "node:22", "debian:12", "maven:3", "mcr.microsoft.com/dotnet/sdk:8.0", "rust", "alpine", "scratch", "s0", "s1"]
)
_STEPS = st.sampled_from(
    [
        "WORKDIR /src",
        "COPY . .",
        "ARG TARGETARCH",
        "ARG TARGETOS TARGETARCH",
        "ARG TARGETARCH=amd64",
        "# a comment",
        "ENV CGO_ENABLED=0",
        "RUN CGO_ENABLED=0 go build -o /out/app .",
        "RUN go mod download && \\\n    # inside\n    go build -o app",
        "RUN <<EOF\ngo build\nEOF",
        "RUN npm ci && npm run build",
        "RUN apt-get update && apt-get install -y gcc libc6-dev",
        "RUN gcc -o hello hello.c",
        "RUN mvn package",
        "RUN dotnet publish a.csproj -o /out",
        "RUN cargo build",
        "RUN --mount=type=cache,target=/t make",
        "RUN --mount=type=cache,id=x,target=/var/cache/apt apt-get update",
        "RUN --mount=from=s0,target=/m ls /m",
        "RUN curl -LO https://example.com/t-amd64.tgz",
        "ADD https://example.com/t-x86_64.tgz /",
        "RUN echo $TARGETARCH `uname -m`",
        'RUN ["sh", "-c", "echo $TARGETOS"]',
        "COPY --from=s0 /out/app /app",
        "COPY --from=s0 /src/dist /www",
        "COPY --from=s1 /x /x",
        "ONBUILD RUN echo $TARGETARCH",
    ]
)


@st.composite
def _files(draw: st.DrawFn) -> str:
    stages = []
    for number in range(draw(st.integers(1, 4))):
        steps = draw(st.lists(_STEPS, max_size=6))
        stages.append("\n".join([f"FROM {draw(_FLAGS)}{draw(_IMAGES)} AS s{number}", *steps]))
    return "\n".join(stages).replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=150, deadline=None)
@given(_files())
def test_any_dockerfile_can_be_improved(text):
    try:
        dockerfile = parse(text)
        known = graphs(dockerfile)
    except QuarterdeckError:
        reject()
    found = advise(dockerfile, known)
    for advice in found:
        assert advice.message
        assert 1 <= advice.span.first <= advice.span.last <= text.count("\n") + 1
        assert advice.patch is not None or not advice.safe
        graphs(parse(apply(dockerfile, [advice], unsafe=True)))
    changed = parse(apply(dockerfile, found, unsafe=True))
    assert len(graphs(changed)) == len(known)
    better = improve(dockerfile, graphs)
    assert unified_diff(better, advise(better, graphs(better))) == ""
    assert ("\r\n" in better.text) == ("\r\n" in text)
