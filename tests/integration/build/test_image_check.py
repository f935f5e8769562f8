"""The check of images on real ones: from buildah, packed with zstd, with programs that run or do not."""

import io
import json
import sys
import tarfile
from pathlib import Path

import pytest
from tests.engines.base import base_image
from tests.engines.docker import Docker
from tests.engines.podman import Storage
from tests.engines.registry import Registry
from tests.unit.build.oci.images import AMD64, ARM64, LINUX_AMD64, LINUX_ARM64, Shelf, layer

from quarterdeck.binfmt.programs.build import Probe, build
from quarterdeck.build.check.check import CheckOptions, check_source
from quarterdeck.build.check.finding import Key
from quarterdeck.build.check.smoke import SmokeOptions, smoke
from quarterdeck.build.oci.layout import ImageSource
from quarterdeck.build.oci.merge import merge
from quarterdeck.build.oci.model import ImagePlatform
from quarterdeck.build.oci.open_image import open_image
from quarterdeck.build.oci.write_archive import write_archive
from quarterdeck.build.platform import Platform
from quarterdeck.core.arch import find_arch, host_arch
from quarterdeck.core.process import Completed, run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

A, B, R = (Platform.parse(text) for text in ("linux/amd64", "linux/arm64", "linux/riscv64"))
HOST = Platform.of_host()


def zstd(content: bytes, *options: str) -> bytes:
    return run(["zstd", "-q", "-c", *options], input=content).stdout


def zstd_image(content: bytes, plain: bytes) -> ImageSource:
    shelf = Shelf()
    image = shelf.image(LINUX_AMD64, [plain])
    packed = shelf.add(content, "application/vnd.oci.image.layer.v1.tar+zstd")
    manifest = json.loads(shelf.blobs[image.digest])
    manifest["layers"] = [{"mediaType": packed.media_type, "digest": packed.digest, "size": packed.size}]
    return shelf.source(shelf.add(json.dumps(manifest).encode(), image.media_type))


def keys(source: ImageSource, **options) -> list[Key]:
    return [one.key for one in check_source(source, CheckOptions(**options)).findings]


def test_layers_packed_with_zstd_are_read() -> None:
    plain = layer(("bin/a", AMD64 + bytes(3_000_000)), ("bin/b", ARM64))
    assert keys(zstd_image(zstd(plain), plain)) == [Key.ELF_WRONG_ARCHITECTURE]
    # several frames, as zstd:chunked writes them, with one that is to be skipped at the end
    skipped = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"info"
    frames = zstd(plain[:1024]) + zstd(plain[1024:]) + skipped
    assert keys(zstd_image(frames, plain)) == [Key.ELF_WRONG_ARCHITECTURE]


def test_damaged_zstd_is_a_finding() -> None:
    plain = layer(("bin/a", AMD64), ("x", bytes(range(256)) * 4000))
    packed = zstd(plain)
    assert keys(zstd_image(packed[:-20], plain)) == [Key.LAYER_DAMAGED]
    assert keys(zstd_image(packed[:40] + b"xxxx" + packed[44:], plain)) == [Key.LAYER_DAMAGED]


def test_layers_that_do_not_end_are_left_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quarterdeck.build.check.layers.LARGEST_LAYER", 1 << 20)
    plain = layer(("zeros", bytes(64 << 20)))
    assert keys(zstd_image(zstd(plain), plain)) == [Key.LAYER_DAMAGED]


def test_an_archive_packed_with_zstd_is_opened(tmp_path: Path) -> None:
    shelf = Shelf()
    layout = merge({A: shelf.source(shelf.image(LINUX_AMD64, [layer(("bin/a", AMD64))]))})
    write_archive(layout, tmp_path / "plain.tar")
    (tmp_path / "packed").write_bytes(zstd((tmp_path / "plain.tar").read_bytes()))
    with open_image(tmp_path / "packed") as found:
        assert check_source(found.source()).findings == ()


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_a_whole_debian_is_right_for_its_platform(arch: str) -> None:
    with open_image(base_image(arch).archive) as layout:
        report = check_source(layout.source(), CheckOptions((Platform.parse(find_arch(arch).oci),), strict=True))
    assert report.findings == ()
    assert report.images[0].programs > 300


def test_an_arm64_program_in_an_amd64_image_of_buildah_is_found(host_podman: Storage, tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_bytes(build(find_arch("aarch64"), Probe.EXEC))
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY tool /opt/tool\nLABEL a=b\nCOPY tool /usr/aarch64-linux-gnu/bin/tool\n")
    host_podman.buildah("build", "--quiet", "--layers", "--arch=amd64", "--tag=localhost/wrong:1", tmp_path)
    host_podman.buildah("push", "--quiet", "localhost/wrong:1", f"oci-archive:{tmp_path}/wrong.tar")
    with open_image(tmp_path / "wrong.tar") as layout:
        report = check_source(layout.source())
        strict = check_source(layout.source(), CheckOptions(strict=True))
    found = {one.key: one for one in report.findings}
    assert set(found) == {Key.ELF_WRONG_ARCHITECTURE, Key.ELF_FOREIGN_DATA}
    wrong, data = found[Key.ELF_WRONG_ARCHITECTURE], found[Key.ELF_FOREIGN_DATA]
    assert wrong.path == "opt/tool"
    assert wrong.layer is not None
    assert "COPY" in wrong.layer.created_by
    assert data.layer is not None
    assert data.layer.number == 2
    assert [one.severity for one in strict.findings] == ["error", "error"]


def runnable() -> ImageSource:
    """An index of three platforms, each with a program that ends well, and one that does not."""
    shelf = Shelf()
    entries = []
    for platform in (A, B, R):
        arch = platform.arch
        assert arch is not None
        entries.append(
            shelf.image(
                ImagePlatform.of(platform),
                [layer(("bin/ok", build(arch, Probe.THREADS)), ("bin/fails", build(arch, Probe.EXEC)))],
                config={"config": {"Entrypoint": ["/none"], "User": "1"}},
            )
        )
    return shelf.index(*entries)


@pytest.mark.parametrize("engine", [None, "buildah"])
def test_a_command_runs_in_the_image_of_each_platform(host_podman: Storage, engine: str | None) -> None:
    options = SmokeOptions(engine=engine, env=host_podman.env)
    before = sorted(host_podman.podman("image", "list", "--quiet").text.split())
    runs, findings = smoke(runnable(), ["/bin/ok"], (A, B, R), options=options)
    assert [one.text for one in findings] == []
    assert [(one.platform, one.status) for one in runs] == [(A, 0), (B, 0), (R, 0)]
    assert [one.runs for one in runs if one.platform == HOST] == ["native"]
    assert all(one.runs.startswith("emulated") for one in runs if one.platform != HOST)
    assert sorted(host_podman.podman("image", "list", "--quiet").text.split()) == before


@pytest.mark.parametrize(("command", "key"), [("/bin/fails", Key.SMOKE_FAILED), ("/bin/none", Key.SMOKE_FAILED)])
def test_a_command_that_fails_is_a_finding_of_its_platform(host_podman: Storage, command: str, key: Key) -> None:
    runs, findings = smoke(runnable(), [command], (HOST,), options=SmokeOptions(engine="podman", env=host_podman.env))
    assert [(one.key, one.platform) for one in findings] == [(key, HOST)]
    assert runs[0].status != 0


def test_docker_runs_a_command_too_and_forgets_the_image(host_docker: Docker) -> None:
    options = SmokeOptions(engine="docker", env=dict(host_docker.env))
    before = sorted(host_docker("image", "ls", "--quiet").text.split())
    runs, findings = smoke(runnable(), ["/bin/ok"], (HOST,), options=options)
    assert ([one.text for one in findings], runs[0].status) == ([], 0)
    assert sorted(host_docker("image", "ls", "--quiet").text.split()) == before


def command_line(*words: str, env=None) -> Completed:
    from_here = "from quarterdeck.cli.image.check import check as c; from quarterdeck.cli.group import *; import typer\n"
    program = (
        from_here + "a = typer.Typer(cls=QuarterdeckGroup); a.callback()(lambda: None); a.command('check', cls=QuarterdeckCommand)(c); a()"
    )
    return run([sys.executable, "-c", program, "check", *words], check=False, env=env)


def test_the_command_says_what_is_wrong_and_exits_with_1(tmp_path: Path) -> None:
    shelf = Shelf()
    wrong = shelf.image(LINUX_ARM64, [layer(*((f"bin/tool{number}", AMD64) for number in range(9)))])
    write_archive(merge({B: shelf.source(wrong)}), tmp_path / "image.tar")
    done = command_line(str(tmp_path / "image.tar"), "--platform=linux/arm64,linux/amd64")
    assert done.returncode == 1
    assert "/bin/tool0" in done.text
    assert "and 4 more" in done.text
    assert "COPY step 0" in done.text
    assert "no image of linux/amd64" in done.text
    value = json.loads(command_line(f"oci-archive:{tmp_path}/image.tar", "--json").text)
    assert (value["ok"], len(value["results"][0]["findings"])) == (False, 9)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["./none"], 2),
        (["oci:none:x"], 2),
        (["Not A Name"], 2),
        (["/dev/null"], 4),
        (["x", "--platform=a/b/c/d"], 2),
        (["/etc", "--smoke="], 2),
        (["/etc", "--engine=podman"], 2),
    ],
)
def test_wrong_use_is_told_apart_from_bad_images(words: list[str], status: int) -> None:
    done = command_line(*words)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


def test_an_image_in_a_registry_is_checked(host_podman: Storage, loopback_registry: Registry, tmp_path: Path) -> None:
    name = loopback_registry.name("checked:1")
    shelf = Shelf()
    images = {A: shelf.source(shelf.image(LINUX_AMD64, [layer(("bin/a", AMD64))]))}
    write_archive(merge(images), tmp_path / "image.tar")
    run(
        ["skopeo", "copy", "--all", "--dest-tls-verify=false", f"oci-archive:{tmp_path}/image.tar", f"docker://{name}"], env=host_podman.env
    )
    done = command_line(name, "--json", env=host_podman.env)
    assert (done.returncode, json.loads(done.text)["ok"]) == (0, True)


def test_the_standard_library_s_tar_of_everything_is_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add("/usr/lib/python3", arcname="usr/lib/python3")
        archive.add("/usr/bin/zstd", arcname="usr/bin/zstd")
    shelf = Shelf()
    platform = ImagePlatform.of(HOST)
    report = check_source(shelf.index(shelf.image(platform, [buffer.getvalue()])))
    assert report.ok
    assert report.images[0].programs >= 1
    assert host_arch() == HOST.arch
