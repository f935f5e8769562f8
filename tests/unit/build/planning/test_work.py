import pytest

from quarterdeck.build.planning.faster import faster_step
from quarterdeck.build.planning.work import Work, commands, work_of
from quarterdeck.build.platform import Platform


@pytest.mark.parametrize(
    "text",
    [
        "gcc -O2 x.c",
        "aarch64-linux-gnu-gcc-12 x.c",
        "cd /src && make -j8",
        "./configure --prefix=/usr",
        "CGO_ENABLED=0 GOOS=linux go build ./...",
        "go test ./...",
        "cargo +nightly build --release",
        "sudo -E make install",
        "if true; then cmake --build .; fi",
        "(cd a; ninja)",
        "npm ci",
        "/usr/local/bin/pip3 install numpy",
        "python3 -m pip install .",
        "python setup.py install",
        "./mvnw -q package",
        "dotnet publish -c Release",
        "apt-get update && apt-get install -y gcc && gcc x.c",
        "set -eux\nbundle install",
        "make \\\n  all",
        "xx-clang x.c",
        "bash -lc 'make all'",
        "sh ./configure",
    ],
)
def test_compiling(text):
    assert work_of(text) is Work.COMPILE


@pytest.mark.parametrize(
    "text",
    [
        "apt-get update && apt-get install -y --no-install-recommends gcc make",
        "DEBIAN_FRONTEND=noninteractive apt-get -y upgrade",
        "apk add --no-cache build-base",
        "dnf -y install gcc",
        "dpkg -i x.deb",
        "xx-apt install libc6-dev",
    ],
)
def test_installing_packages(text):
    assert work_of(text) is Work.INSTALL


@pytest.mark.parametrize(
    "text",
    [
        "echo make",
        "mkdir -p /a && chown b /a",
        "apt-get clean",
        "go mod download",
        "npm config set x y",
        "git clone https://h/gcc",
        "",
        "$(",
    ],
)
def test_small_commands(text):
    assert work_of(text) is Work.SHELL


def test_heavier_work_weighs_more_and_suffers_more():
    assert Work.COMPILE.weight > Work.INSTALL.weight > Work.SHELL.weight
    assert Work.COMPILE.slowdown > Work.INSTALL.slowdown >= Work.SHELL.slowdown > 1


def test_commands_lose_what_stands_before_them():
    assert list(commands("A=1 sudo -n env B=2 x 'y z' && ! w | time v")) == [["x", "y", "z"], ["w"], ["v"]]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("go build", "GOARCH"),
        ("cargo build", "--target"),
        ("make", "crossbuild-essential-arm64"),
        ("./configure", "crossbuild-essential-arm64"),
        ("npm run build", "native addon"),
        ("dotnet publish", "-a $TARGETARCH"),
        ("mvn package", "jars"),
        ("pip install x", "wheels"),
        ("gem install x", "native node"),
        ("apt-get install x", "build platform"),
    ],
)
def test_what_makes_a_step_faster_names_the_language_s_own_way(text, word):
    assert word in faster_step(text, Platform.parse("linux/arm64"))


def test_small_commands_have_no_faster_way():
    assert faster_step("echo x", Platform.parse("linux/arm64")) == ""


def test_architecture_without_a_debian_name_gets_no_made_up_package():
    assert "crossbuild-essential-ARCH" in faster_step("make", Platform.parse("linux/odd"))
