import pytest

from quarterdeck.binfmt.elf import SegmentType, arch_of, read_elf
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.programs.build import EXEC_STATUS, Probe, back_end, build, supported
from quarterdeck.binfmt.programs.image import PAGE
from quarterdeck.core.arch import ARCHES, Arch, find_arch
from quarterdeck.errors import UsageError
from quarterdeck.host.binfmt_misc import Entry

EMULATED = [arch for arch in ARCHES if arch.user]
PAIRS = [pytest.param(arch, probe, id=f"{arch.name}-{probe}") for arch in EMULATED for probe in sorted(supported(arch))]
LARGEST = 1536
LOWEST = 0x10000
"""vm.mmap_min_addr of the usual kernels."""


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_every_architecture_with_an_emulator_can_be_proved(arch: Arch) -> None:
    assert Probe.EXEC in supported(arch)


@pytest.mark.parametrize(("arch", "probe"), PAIRS)
def test_a_program_is_a_static_executable_of_its_architecture(arch: Arch, probe: Probe) -> None:
    elf = read_elf(build(arch, probe))
    assert arch_of(elf) == arch
    assert elf.static


@pytest.mark.parametrize(("arch", "probe"), PAIRS)
def test_a_registration_claims_the_programs_of_its_architecture(arch: Arch, probe: Probe) -> None:
    asked = Registration.of(arch, "/usr/bin/emulator", "F")
    entry = Entry(asked.name, enabled=True, interpreter=asked.interpreter, flags=asked.flags, magic=asked.magic, mask=asked.mask)
    assert entry.claims(build(arch, probe))


@pytest.mark.parametrize(("arch", "probe"), PAIRS)
def test_a_program_is_small_and_the_same_each_time(arch: Arch, probe: Probe) -> None:
    first = build(arch, probe)
    assert len(first) <= LARGEST
    assert build(arch, probe) == first


@pytest.mark.parametrize(("arch", "probe"), PAIRS)
def test_segments_suit_hosts_with_large_pages(arch: Arch, probe: Probe) -> None:
    code, data = (s for s in read_elf(build(arch, probe)).segments if s.type == SegmentType.LOAD)
    assert {segment.align for segment in (code, data)} == {PAGE}
    assert all(segment.address % PAGE == segment.offset % PAGE for segment in (code, data))
    assert code.address >= LOWEST
    assert (code.address + code.memory_size) // PAGE < data.address // PAGE


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_no_two_probes_are_the_same_program(arch: Arch) -> None:
    programs = [build(arch, probe) for probe in supported(arch)]
    assert len(set(programs)) == len(programs)


def test_statuses_that_mean_success_differ_from_failures() -> None:
    assert EXEC_STATUS not in {0, 1, 126, 127}


def test_a_program_that_does_not_exist_is_refused_in_words() -> None:
    unknown = Arch(name="pdp11")
    assert supported(unknown) == frozenset()
    with pytest.raises(UsageError, match="'exec' on pdp11"):
        build(unknown, Probe.EXEC)


def test_each_program_is_assembled_from_nothing() -> None:
    arch = find_arch("riscv64")
    assert back_end(arch) is not back_end(arch)
