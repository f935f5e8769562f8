"""Parser directives: comments above everything else that say how to read the file.

Source: "Parser directives" in the Dockerfile reference; frontend/dockerfile/parser/directives.go of BuildKit 0.34.
"""

from __future__ import annotations

import re

from quarterdeck.build.dockerfile.errors import SyntaxFault
from quarterdeck.build.dockerfile.model import Directives
from quarterdeck.build.dockerfile.spaces import SPACES

_DIRECTIVE = re.compile(r"#([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*", re.DOTALL)
_KNOWN = ("syntax", "escape", "check")


class DirectiveReader:
    """Takes the lines from the top and keeps the directives, until a line is none."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}
        self._done = False

    def feed(self, line: str) -> None:
        """Look at the next line, without its end and the white space before it.

        Raises:
            SyntaxFault: a directive is there twice, or the escape character is neither backslash nor backtick.
        """
        if self._done:
            return
        match = _DIRECTIVE.fullmatch("#" + line[1:].lstrip(SPACES)) if line.startswith("#") else None
        name = match[1].lower() if match else ""
        if match is None or name not in _KNOWN:
            self._done = True
            return
        if name in self._found:
            raise SyntaxFault(f"the parser directive '{name}' is given twice", hint="keep one of them")
        if name == "escape" and match[2] not in ("\\", "`"):
            raise SyntaxFault(f"the escape character '{match[2]}' is neither \\ nor `", hint="write '# escape=`' or leave it out")
        self._found[name] = match[2]

    @property
    def escape(self) -> str:
        """The character that continues lines and takes the meaning from others."""
        return self._found.get("escape", "\\")

    def result(self) -> Directives:
        """Return what was found; of ``syntax`` the image, whatever follows it."""
        return Directives(self._found.get("syntax", "").split(" ")[0], self.escape, self._found.get("check", ""))
