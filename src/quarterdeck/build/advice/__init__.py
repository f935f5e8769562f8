"""Advice on Dockerfiles that build for several platforms, with patches for what can be changed safely.

:func:`advise` looks, :func:`unified_diff` shows, :func:`apply` changes, :func:`improve` repeats all that until nothing safe is left.
"""

from quarterdeck.build.advice.advisor import RULES, advise, improve
from quarterdeck.build.advice.edits import apply, difference, unified_diff
from quarterdeck.build.advice.model import Advice, Edit
from quarterdeck.build.advice.rule import Rule

__all__ = ["RULES", "Advice", "Edit", "Rule", "advise", "apply", "difference", "improve", "unified_diff"]
