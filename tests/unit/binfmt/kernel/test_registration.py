import pytest

from quarterdeck.binfmt.kernel.registration import Registration, magic_of, mask_of
from quarterdeck.core.arch import ARCHES, find_arch
from quarterdeck.host.binfmt_misc import Entry

EMULATED = [arch for arch in ARCHES if arch.user]


def entry_of(registration):
    return Entry(registration.name, True, registration.interpreter, registration.flags, 0, registration.magic, registration.mask)


def test_the_line_is_the_one_that_the_kernel_documents():
    line = Registration.of(find_arch("arm64"), "/usr/bin/qemu-aarch64-static", "CF").line()
    assert line == (
        rb":qemu-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
        rb":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:CF"
    )


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_each_architecture_claims_its_own_programs_and_no_others(arch):
    entry = entry_of(Registration.of(arch, "/bin/qemu", "F"))
    assert [other.name for other in EMULATED if entry.claims(other.elf.example())] == [arch.name]


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_position_independent_programs_are_claimed_too(arch):
    head = bytearray(arch.elf.example())
    head[16 if arch.elf.little else 17] = 3
    assert entry_of(Registration.of(arch, "/bin/qemu", "F")).claims(bytes(head))


@pytest.mark.parametrize("arch", EMULATED, ids=lambda arch: arch.name)
def test_magic_and_mask_have_one_length(arch):
    assert len(magic_of(arch.elf)) == len(mask_of(arch.elf)) <= 40
