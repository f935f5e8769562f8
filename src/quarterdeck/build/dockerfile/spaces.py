"""White space as BuildKit's language sees it: not what ``str.strip`` and ``str.isspace`` take."""

from __future__ import annotations

import re

# Go's unicode.IsSpace: the White_Space property; Python adds U+001C to U+001F.
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
SPACE_SET = frozenset(SPACES)
BLANKS = re.compile(r"[\t\v\f\r ]+")


def trim(text: str) -> str:
    """Return the text without white space around it."""
    return text.strip(SPACES)


def is_comment(line: str) -> bool:
    """Whether the line's first character that is no white space is ``#``."""
    return line.lstrip(SPACES).startswith("#")
