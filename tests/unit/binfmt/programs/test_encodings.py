"""A few operations with their instructions as GNU as and LLVM encode them; the rest is proved by running under emulators."""

import pytest

from quarterdeck.binfmt.programs.build import back_end
from quarterdeck.binfmt.programs.isa import Isa, Register, Width
from quarterdeck.core.arch import find_arch

LISTINGS = {
    "x86_64": """
        49c7c29cffffff   movq $-100, %r10
        4889f7           movq %rsi, %rdi
        48f7df           negq %rdi
        418b423c         movl 60(%r10), %eax
        0fb67703         movzbl 3(%rdi), %esi
        41895a00         movl %ebx, 0(%r10)
        4883c3c0         addq $-64, %rbx
        4989e0           movq %rsp, %r8
    """,
    "i386": """
        c7c69cffffff     movl $-100, %esi
        89cb             movl %ecx, %ebx
        f7db             negl %ebx
        8b463c           movl 60(%esi), %eax
        0fb64b03         movzbl 3(%ebx), %ecx
        896e00           movl %ebp, 0(%esi)
        83c5c0           addl $-64, %ebp
        89e7             movl %esp, %edi
    """,
    "aarch64": """
        630c8092         mov x3, #-100
        e3ffbff2         movk x3, #65535, lsl #16
        e00301cb         neg x0, x1
        603c40b9         ldr w0, [x3, #60]
        010c4039         ldrb w1, [x0, #3]
        730000b9         str w19, [x3]
        730201d1         sub x19, x19, #64
        e4030091         mov x4, sp
    """,
    "arm": """
        9c30a0e3         mov r3, #156
        ff3c83e3         orr r3, r3, #65280
        ff3883e3         orr r3, r3, #16711680
        ff3483e3         orr r3, r3, #-16777216
        000061e2         rsb r0, r1, #0
        3c0093e5         ldr r0, [r3, #60]
        0310d0e5         ldrb r1, [r0, #3]
        005083e5         str r5, [r3]
        405045e2         sub r5, r5, #64
        0d40a0e1         mov r4, sp
    """,
    "riscv64": """
        b7060000         lui a3, 0
        9b86c6f9         addiw a3, a3, -100
        3305b040         neg a0, a1
        03e5c603         lwu a0, 60(a3)
        83453500         lbu a1, 3(a0)
        23a09600         sw s1, 0(a3)
        938404fc         addi s1, s1, -64
        13070100         mv a4, sp
    """,
    "riscv32": """
        b7060000         lui a3, 0
        9386c6f9         addi a3, a3, -100
        3305b040         neg a0, a1
        03a5c603         lw a0, 60(a3)
        83453500         lbu a1, 3(a0)
        23a09600         sw s1, 0(a3)
        938404fc         addi s1, s1, -64
        13070100         mv a4, sp
    """,
    "ppc64": """
        3cc0ffff         lis 6, -1
        60c6ff9c         ori 6, 6, 65436
        7c6400d0         neg 3, 4
        8066003c         lwz 3, 60(6)
        88830003         lbz 4, 3(3)
        91c60000         stw 14, 0(6)
        39ceffc0         addi 14, 14, -64
        7c270b78         mr 7, 1
    """,
    "s390x": """
        c051ffffff9c     lgfi %r5, -100
        b9030023         lcgr %r2, %r3
        e320503c0016     llgf %r2, 60(%r5)
        e33020030090     llgc %r3, 3(%r2)
        e38050000050     sty %r8, 0(%r5)
        a78bffc0         aghi %r8, -64
        b904006f         lgr %r6, %r15
    """,
}


def sample(isa: Isa) -> None:
    isa.constant(Register.A3, -100)
    isa.negate(Register.A0, Register.A1)
    isa.load(Register.RESULT, Register.A3, width=Width.WORD, offset=60)
    isa.load(Register.A1, Register.A0, width=Width.BYTE, offset=3)
    isa.store_word(Register.SAVED, Register.A3)
    isa.add(Register.SAVED, -64)
    isa.stack_pointer(Register.A4)


def expected(listing: str) -> bytes:
    return b"".join(bytes.fromhex(line.split()[0]) for line in listing.split("\n") if line.strip())


@pytest.mark.parametrize("name", LISTINGS)
def test_instructions_are_encoded_as_other_assemblers_do(name: str) -> None:
    isa = back_end(find_arch(name))
    sample(isa)
    assert isa.code.content(0, {}) == expected(LISTINGS[name])


@pytest.mark.parametrize(("big", "little"), [("aarch64_be", "aarch64"), ("armeb", "arm")])
def test_big_endian_arm_has_little_endian_instructions(big: str, little: str) -> None:
    first, second = back_end(find_arch(big)), back_end(find_arch(little))
    sample(first)
    sample(second)
    assert first.code.content(0, {}) == second.code.content(0, {})


def test_little_endian_power_has_the_same_words_the_other_way_round() -> None:
    isa = back_end(find_arch("ppc64le"))
    sample(isa)
    content = isa.code.content(0, {})
    swapped = b"".join(content[at : at + 4][::-1] for at in range(0, len(content), 4))
    assert swapped == expected(LISTINGS["ppc64"])


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [
        ("aarch64", "02000014", "ffffff17"),
        ("arm", "000000ea", "fdffffea"),
        ("riscv64", "6f008000", "6ff0dfff"),
        ("ppc", "48000008", "4bfffffc"),
        ("loongarch64", "00080050", "ffffff53"),
        ("x86_64", "e903000000", "e9f7ffffff"),
    ],
)
def test_jumps_count_from_where_the_processor_does(name: str, forward: str, backward: str) -> None:
    isa = back_end(find_arch(name))
    isa.jump("there")
    size = isa.code.size
    isa.jump("here")
    base = 0x1000
    content = isa.code.content(base, {"there": base + 8, "here": base + size - 4})
    assert content.hex() == forward + backward
