"""Code that runs before an emulator's own and gives it ``-cpu MODEL`` as first arguments.

At the start of a program the stack pointer shows argc, then argv, the environment and the auxiliary vector (System V ABI, processor
supplements for AMD64, section 3.4.1, and for Arm 64-bit). Two more arguments after argv[0] are made by moving argc and argv[0] down by
16 bytes: the alignment stays, everything else stays where it is, and the environment, which guest programs inherit, is untouched.
A user's QEMU_CPU is left alone: QEMU reads the environment first and lets arguments win, so none is added then.
Registers that the kernel hands over (RDX, X0) are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quarterdeck.binfmt.programs.assembler import Place, Section

_VARIABLE = b"QEMU_CPU"
"""Eight bytes: one comparison, then the equals sign."""
_EQUALS = ord("=")
_WORD = 8


def start_stub(arch: str, option: bytes, *, model: bytes, labels: Mapping[str, int]) -> tuple[bytes, int]:
    """Return the stub for a host ``arch`` of :data:`HOSTS`, and how far behind its first byte it is entered.

    ``labels`` has the addresses ``here`` (of the first byte) and ``entry`` (where the stub goes on). The stub begins with ``option``
    and ``model`` as C strings. On aarch64 ``entry`` must be within 128 MiB.
    """
    code = Section()
    code.label("option")
    code.put(option + b"\0")
    code.label("model")
    code.put(model + b"\0")
    code.align(_WORD)
    code.label("variable")
    code.put(_VARIABLE)
    code.label("start")
    HOSTS[arch](code)
    here = labels["here"]
    addresses = code.addresses(here)
    return code.content(here, {**addresses, "entry": labels["entry"]}), addresses["start"] - here


_RAX, _RCX, _RSP, _RSI, _RDI = 0, 1, 4, 6, 7
_WIDE = 0x48
"""REX.W: 64-bit operands."""


def _x86_64(code: Section) -> None:
    """Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2."""
    argc, cursor, string, wanted = _RAX, _RCX, _RSI, _RDI
    code.put(_x86_memory(0x8B, argc, _RSP))  # mov argc, [rsp]
    code.put(bytes([_WIDE, 0x85, 0xC0 | argc << 3 | argc]))  # test argc, argc
    _x86_branch(code, b"\x0f\x84", "go on")  # jz
    code.put(bytes([_WIDE, 0x8D, 0x44 | cursor << 3, 0xC0 | argc << 3 | _RSP, 2 * _WORD]))  # lea cursor, [rsp + argc*8 + 16]
    code.put(bytes([_WIDE, 0xB8 | wanted]) + _VARIABLE)  # mov wanted, "QEMU_CPU"
    code.label("next variable")
    code.put(_x86_memory(0x8B, string, cursor))  # mov string, [cursor]
    code.put(bytes([_WIDE, 0x85, 0xC0 | string << 3 | string]))  # test string, string
    _x86_branch(code, b"\x0f\x84", "insert")  # jz
    code.put(bytes([_WIDE, 0x83, 0xC0 | cursor, _WORD]))  # add cursor, 8
    code.put(_x86_memory(0x39, wanted, string))  # cmp [string], wanted
    _x86_branch(code, b"\x0f\x85", "next variable")  # jne
    code.put(bytes([0x80, 0x78 | string, _WORD, _EQUALS]))  # cmp byte [string + 8], '='
    _x86_branch(code, b"\x0f\x85", "next variable")  # jne
    _x86_branch(code, b"\xe9", "go on")  # jmp
    code.label("insert")
    code.put(_x86_memory(0x8B, cursor, _RSP, offset=_WORD))  # mov cursor, [rsp + 8]: argv[0]
    code.put(bytes([_WIDE, 0x83, 0xC0 | argc, 2]))  # add argc, 2
    code.put(bytes([_WIDE, 0x83, 0xE8 | _RSP, 2 * _WORD]))  # sub rsp, 16
    code.put(_x86_memory(0x89, argc, _RSP))  # mov [rsp], argc
    code.put(_x86_memory(0x89, cursor, _RSP, offset=_WORD))  # mov [rsp + 8], cursor
    for offset, label in ((2 * _WORD, "option"), (3 * _WORD, "model")):
        _x86_branch(code, bytes([_WIDE, 0x8D, 0x05 | string << 3]), label)  # lea string, [rip + label]
        code.put(_x86_memory(0x89, string, _RSP, offset=offset))  # mov [rsp + offset], string
    code.label("go on")
    _x86_branch(code, b"\xe9", "entry")  # jmp


def _x86_memory(opcode: int, register: int, base: int, *, offset: int = 0) -> bytes:
    """Return an instruction with [base + disp8]; RSP as a base needs a SIB byte."""
    sib = bytes([0x24]) if base == _RSP else b""
    return bytes([_WIDE, opcode, 0x40 | register << 3 | base]) + sib + bytes([offset])


def _x86_branch(code: Section, opcode: bytes, label: str) -> None:
    """Append an instruction that ends in a distance to ``label``, counted from the next instruction."""
    code.put(opcode)
    code.put_late(4, lambda place: (place.distance(label) - 4).to_bytes(4, "little", signed=True))


_SP = 31


def _aarch64(code: Section) -> None:
    """Encodings: Arm Architecture Reference Manual for A-profile, chapter C6."""
    argc, cursor, string, wanted, found = 9, 10, 11, 12, 13
    _arm(code, 0xF9400000 | _SP << 5 | argc)  # ldr argc, [sp]
    _arm_branch(code, 0xB4000000 | argc, "go on")  # cbz argc
    _arm(code, 0x91000000 | 2 * _WORD << 10 | _SP << 5 | cursor)  # add cursor, sp, #16
    _arm(code, 0x8B000C00 | argc << 16 | cursor << 5 | cursor)  # add cursor, cursor, argc, lsl #3
    _arm_branch(code, 0x58000000 | wanted, "variable")  # ldr wanted, variable
    code.label("next variable")
    _arm(code, 0xF8400400 | _WORD << 12 | cursor << 5 | string)  # ldr string, [cursor], #8
    _arm_branch(code, 0xB4000000 | string, "insert")  # cbz string
    _arm(code, 0xF9400000 | string << 5 | found)  # ldr found, [string]
    _arm(code, 0xEB00001F | wanted << 16 | found << 5)  # cmp found, wanted
    _arm_branch(code, 0x54000001, "next variable")  # b.ne
    _arm(code, 0x39400000 | _WORD << 10 | string << 5 | found)  # ldrb found, [string, #8]
    _arm(code, 0x7100001F | _EQUALS << 10 | found << 5)  # cmp found, #'='
    _arm_branch(code, 0x54000001, "next variable")  # b.ne
    _arm_branch(code, 0xB4000000 | _SP, "go on")  # cbz xzr: always
    code.label("insert")
    _arm(code, 0xF9400400 | _SP << 5 | cursor)  # ldr cursor, [sp, #8]: argv[0]
    _arm(code, 0x91000000 | 2 << 10 | argc << 5 | argc)  # add argc, argc, #2
    _arm_address(code, string, "option")
    _arm_address(code, wanted, "model")
    _arm(code, 0xD1000000 | 2 * _WORD << 10 | _SP << 5 | _SP)  # sub sp, sp, #16
    _arm(code, 0xA9000000 | cursor << 10 | _SP << 5 | argc)  # stp argc, cursor, [sp]
    _arm(code, 0xA9010000 | wanted << 10 | _SP << 5 | string)  # stp string, wanted, [sp, #16]
    code.label("go on")
    code.put_late(4, lambda place: _arm_word(0x14000000 | _bits(place.distance("entry") // 4, 26)))  # b


def _arm(code: Section, instruction: int) -> None:
    code.put(_arm_word(instruction))


def _arm_word(instruction: int) -> bytes:
    return instruction.to_bytes(4, "little")


def _arm_branch(code: Section, instruction: int, label: str) -> None:
    """Append an instruction with a distance in words in bits 5 to 23."""
    code.put_late(4, lambda place: _arm_word(instruction | _bits(place.distance(label) // 4, 19) << 5))


def _arm_address(code: Section, register: int, label: str) -> None:
    """Append ADR: the distance's low two bits stand in bits 29 and 30, the others in bits 5 to 23."""

    def encode(place: Place) -> bytes:
        distance = _bits(place.distance(label), 21)
        return _arm_word(0x10000000 | (distance & 3) << 29 | (distance >> 2) << 5 | register)

    code.put_late(4, encode)


def _bits(number: int, width: int) -> int:
    """Return a signed number in ``width`` bits."""
    assert -(1 << width - 1) <= number < 1 << width - 1, (number, width)
    return number & (1 << width) - 1


HOSTS: Mapping[str, Callable[[Section], None]] = {"x86_64": _x86_64, "aarch64": _aarch64}
"""The architectures of hosts that there is a stub for, by their names in core.arch."""
