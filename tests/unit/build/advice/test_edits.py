from tests.unit.build.advice.asking import graphs

from quarterdeck.build.advice import RULES, Advice, Edit, advise, apply, difference, improve, unified_diff
from quarterdeck.build.dockerfile.model import Span
from quarterdeck.build.dockerfile.parser import parse


def one(*edits: Edit, safe: bool = True) -> Advice:
    return Advice(rule="r", span=Span(1, 1), stage="s", message="m", why="w", gain="g", patch=edits, safe=safe)


FILE = parse("FROM a\nRUN b\nRUN c")


def test_words_are_replaced_and_lines_put_in():
    assert apply(FILE, [one(Edit(2, 4, 5, "x y"), Edit(3, 0, 0, "ARG Z\n"))]) == "FROM a\nRUN x y\nARG Z\nRUN c"


def test_lines_go_with_their_break():
    assert apply(FILE, [one(Edit(2, 0, 6, ""))]) == "FROM a\nRUN c"
    assert apply(parse("FROM a\r\nRUN b\r\nRUN c"), [one(Edit(2, 0, 6, ""))]) == "FROM a\r\nRUN c"
    assert apply(FILE, [one(Edit(3, 0, 6, ""))]) == "FROM a\nRUN b\n"


def test_advice_that_would_change_the_same_words_waits():
    assert apply(FILE, [one(Edit(2, 4, 5, "x")), one(Edit(2, 4, 5, "y"), Edit(3, 4, 5, "y"))]) == "FROM a\nRUN x\nRUN c"


def test_the_same_change_twice_is_one():
    assert apply(FILE, [one(Edit(2, 4, 4, "x ")), one(Edit(2, 4, 4, "x "), Edit(3, 4, 5, "d"))]) == "FROM a\nRUN x b\nRUN d"


def test_a_line_is_put_in_and_its_neighbour_changed():
    assert apply(FILE, [one(Edit(2, 0, 0, "ARG A\n")), one(Edit(2, 0, 3, "run"))]) == "FROM a\nARG A\nrun b\nRUN c"


def test_a_stage_declares_an_argument_once():
    text = apply(parse("FROM a\nRUN b\nRUN c\nFROM a\nRUN d\n"), [one(Edit(line, 0, 0, "ARG A\n")) for line in (2, 3, 5)])
    assert text == "FROM a\nARG A\nRUN b\nRUN c\nFROM a\nARG A\nRUN d\n"


def test_what_is_not_safe_is_applied_on_request_only():
    risky = one(Edit(2, 4, 5, "x"), safe=False)
    assert apply(FILE, [risky]) == FILE.text
    assert apply(FILE, [risky], unsafe=True) == "FROM a\nRUN x\nRUN c"


def test_the_diff_is_one_that_patch_takes():
    assert unified_diff(FILE, [one(Edit(3, 4, 5, "d"))]) == (
        "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,3 +1,3 @@\n FROM a\n RUN b\n"
        "-RUN c\n\\ No newline at end of file\n+RUN d\n\\ No newline at end of file\n"
    )
    assert unified_diff(FILE, []) == ""
    assert "-RUN b\r\n" in difference(parse("FROM a\r\nRUN b\r\n"), "FROM a\r\n")


def test_one_patch_makes_the_next_possible():
    text = (
        "FROM node:22 AS ui\nWORKDIR /ui\nCOPY . .\nRUN npm ci && npm run build\n"
        "FROM golang:1.22-alpine AS app\nWORKDIR /src\nCOPY . .\nCOPY --from=ui /ui/dist ./web\nRUN CGO_ENABLED=0 go build -o /out/app .\n"
        "FROM scratch\nCOPY --from=app /out/app /\n"
    )
    before = parse(text)
    assert apply(before, advise(before, graphs(before))).count("BUILDPLATFORM") == 1
    after = improve(before, graphs)
    assert after.text.count("--platform=$BUILDPLATFORM") == 2
    assert advise(after, graphs(after)) == []


def test_every_rule_has_a_name_of_its_own_and_a_place_in_the_page(request):
    page = (request.config.rootpath / "docs/building-dockerfiles.md").read_text(encoding="utf-8")
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert [name for name in names if f"## `{name}`" not in page] == []
