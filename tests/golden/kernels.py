"""Files that QEMU takes for a kernel: it looks at headers before it starts, and the tests never let the guest run."""

import struct

from quarterdeck.core.arch import Arch

_LOAD = {
    "mips": 0x80100000,
    "mipsel": 0x80100000,
    "mips64": 0xFFFFFFFF80100000,
    "mips64el": 0xFFFFFFFF80100000,
    "alpha": 0xFFFFFC0000310000,
    "ppc64le": 0,
    "ppc64": 0,
    "m68k": 0x2000,
    "loongarch64": 0x200000,
}
"""Where kernels of an architecture that must be ELF are loaded."""


def empty_kernel(arch: Arch) -> bytes:
    """Return a kernel of ``arch`` without code."""
    if arch.name in {"x86_64", "i386"}:
        return _bzimage()
    return _elf(arch, _LOAD[arch.name]) if arch.name in _LOAD else bytes(4096)


def _bzimage() -> bytes:
    """The header of Linux' boot protocol 2.12 (Documentation/arch/x86/boot.rst)."""
    image = bytearray(8192)
    image[0x1F1] = 1
    image[0x1FE:0x200] = b"\x55\xaa"
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x020C)
    image[0x211] = 1
    struct.pack_into("<I", image, 0x22C, 0x7FFFFFFF)
    struct.pack_into("<I", image, 0x238, 2047)
    return bytes(image)


def _elf(arch: Arch, address: int) -> bytes:
    order, wide = "<" if arch.elf.little else ">", arch.elf.bits == 64
    word, header, program = ("Q", 64, 56) if wide else ("I", 52, 32)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if arch.elf.little else 2, 1]) + bytes(9)
    flags = 2 if arch.name == "ppc64le" else 0
    body = struct.pack(f"{order}HHI3{word}I6H", 2, arch.elf.machine, 1, address, header, 0, flags, header, program, 1, 0, 0, 0)
    size, offset = 16, 4096
    if wide:
        segment = struct.pack(f"{order}II6Q", 1, 7, offset, address, address, size, size, 4096)
    else:
        segment = struct.pack(f"{order}8I", 1, offset, address, address, size, size, 7, 4096)
    return (ident + body + segment).ljust(offset, b"\0") + bytes(size)
