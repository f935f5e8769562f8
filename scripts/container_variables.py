"""Writes the tables of docs/container-variables.md from the data that the container itself reads."""

from pathlib import Path

from quarterdeck.machine.environment.document import document

PAGE = Path(__file__).parent.parent / "docs" / "container-variables.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def main() -> None:
    """Replace what lies between the marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{document()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
