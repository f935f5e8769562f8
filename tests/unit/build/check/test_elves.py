import dataclasses

import pytest

from quarterdeck.binfmt.elf import read_header
from quarterdeck.build.check.elves import judge
from quarterdeck.build.check.finding import Key, Severity
from quarterdeck.core.arch import ARCHES, find_arch

AMD64, ARM64 = find_arch("x86_64"), find_arch("aarch64")


def header(name, **changes):
    return dataclasses.replace(read_header(find_arch(name).elf.example()), **changes)


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_programs_of_the_platform_itself_are_fine(arch):
    assert judge("bin/x", header(arch.name), arch, strict=True) is None


@pytest.mark.parametrize(
    ("path", "found", "key"),
    [
        ("usr/bin/x", header("aarch64"), Key.ELF_WRONG_ARCHITECTURE),
        ("usr/lib/x.so", header("riscv64", kind=3), Key.ELF_WRONG_ARCHITECTURE),
        ("opt/mycharm64/x", header("aarch64"), Key.ELF_WRONG_ARCHITECTURE),
        ("app-arm64", header("aarch64"), Key.ELF_WRONG_ARCHITECTURE),
        ("usr/bin/x", header("i386"), Key.ELF_COMPATIBLE),
        ("usr/libx32/x", header("x86_64", bits=32), Key.ELF_COMPATIBLE),
        ("usr/lib/firmware/x", header("xtensa"), Key.ELF_FOREIGN_DATA),
        ("usr/aarch64-linux-gnu/lib/libc.so.6", header("aarch64"), Key.ELF_FOREIGN_DATA),
        ("usr/lib/gcc-cross/arm-linux-gnueabihf/12/x", header("arm"), Key.ELF_FOREIGN_DATA),
        ("node_modules/x/prebuilds/linux-arm64/x.node", header("aarch64"), Key.ELF_FOREIGN_DATA),
        ("usr/local/go/pkg/tool/linux_arm64/x", header("aarch64"), Key.ELF_FOREIGN_DATA),
        ("usr/local/go/src/debug/elf/testdata/x", header("ppc64"), Key.ELF_FOREIGN_DATA),
        ("usr/lib/aarch64-linux-gnu/x", header("riscv64"), Key.ELF_WRONG_ARCHITECTURE),
        ("lib/modules/x.ko", header("aarch64", kind=1), Key.ELF_FOREIGN_OBJECT),
        ("usr/lib/bpf/x.o", header("x86_64", machine=247, kind=1), Key.ELF_FOREIGN_OBJECT),
        ("usr/lib/x.cubin", header("x86_64", machine=190), Key.ELF_FOREIGN_OBJECT),
        ("usr/bin/x", "its class is 9", Key.ELF_DAMAGED),
    ],
)
def test_foreign_files_in_an_amd64_image(path, found, key):
    verdict = judge(path, found, AMD64)
    assert verdict is not None
    assert verdict.key is key
    assert (verdict.severity is Severity.ERROR) == (key is Key.ELF_WRONG_ARCHITECTURE)
    strict = judge(path, found, AMD64, strict=True)
    assert strict is not None
    assert (strict.severity is Severity.ERROR) == (key not in (Key.ELF_FOREIGN_OBJECT, Key.ELF_DAMAGED))


def test_what_a_processor_also_runs_goes_one_way():
    pairs = [("arm", ARM64), ("aarch64", find_arch("arm")), ("x86_64", find_arch("i386"))]
    verdicts = [judge("x", header(name), arch) for name, arch in pairs]
    wrong = Key.ELF_WRONG_ARCHITECTURE
    assert [verdict and verdict.key for verdict in verdicts] == [Key.ELF_COMPATIBLE, wrong, wrong]


def test_core_dumps_are_nobodys_business():
    assert judge("core", header("aarch64", kind=4), AMD64) is None
