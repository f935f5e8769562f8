"""What a RUN gives to its shell, or to the kernel."""

from __future__ import annotations

from quarterdeck.build.stages.model import StageStep


def written(step: StageStep) -> str:
    """Return the words of a step as they are written, and its here-documents."""
    return "\n".join([step.text, *(heredoc.content for heredoc in step.instruction.heredocs)])


def script(step: StageStep) -> str:
    """Return the commands of a RUN in one form: those of the JSON form as a shell would have them."""
    words = step.instruction.words
    return written(step) if words is None else " ".join(words)
