"""A folder that behaves like the kernel's: for tests that may not touch the real one.

Files of entries are what Linux 6.18 shows. ``refuse`` maps what would be written to (``register NAME`` or ``NAME WORD``) to errno.
"""

import errno
import os

from quarterdeck.binfmt.kernel.registration import normal_flags
from quarterdeck.binfmt.kernel.registry import Registry


class FakeKernel(Registry):
    def __init__(self, folder):
        super().__init__(folder)
        folder.mkdir(exist_ok=True)
        (folder / "register").touch()
        (folder / "status").write_text("enabled\n")
        self.writes = []
        self.refuse = {}

    def _write(self, name, content):
        what = f"{name} {content.decode().split(content.decode()[0])[1]}" if name == "register" else f"{name} {content.decode()}"
        if what in self.refuse:
            raise OSError(self.refuse[what], os.strerror(self.refuse[what]))
        self.writes.append(what)
        if name == "register":
            self._register(content.decode())
        elif name == "status":
            (self.folder / "status").write_text("enabled\n" if content == b"1" else "disabled\n")
        else:
            self._change(self.folder / name, content)

    def _register(self, line):
        name, _, offset, magic, mask, interpreter, flags = line[1:].split(line[0])
        if (self.folder / name).exists():
            raise OSError(errno.EEXIST, "File exists")
        text = f"enabled\ninterpreter {interpreter}\nflags: {normal_flags(flags)}\noffset {offset or 0}\nmagic {_hex(magic)}\n"
        (self.folder / name).write_text(text + (f"mask {_hex(mask)}\n" if mask else ""))

    def _change(self, file, word):
        if not file.exists():
            raise FileNotFoundError(errno.ENOENT, "No such file", str(file))
        if word == b"-1":
            file.unlink()
        else:
            lines = file.read_text().split("\n")
            file.write_text("\n".join(["enabled" if word == b"1" else "disabled", *lines[1:]]))


def _hex(escaped):
    return escaped.replace("\\x", "")
