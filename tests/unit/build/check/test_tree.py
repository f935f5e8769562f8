import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.binfmt.elf import read_header
from quarterdeck.build.check import tree as trees
from quarterdeck.build.check.tree import ElfFile, Tree
from quarterdeck.build.oci.errors import BadImageError
from quarterdeck.core.arch import find_arch

HEADER = read_header(find_arch("x86_64").elf.example())


def file(layer=0):
    return ElfFile(HEADER, layer)


def paths(tree):
    return [path for path, _ in tree.files()]


def test_a_later_file_takes_the_place():
    tree = Tree()
    tree.put("a/b", file(0))
    tree.put("a/b", file(1))
    assert [(path, one.layer) for path, one in tree.files()] == [("a/b", 1)]
    tree.remove("a/b")
    assert paths(tree) == []


def test_a_file_in_place_of_a_folder_takes_all_that_was_in_it():
    tree = Tree()
    tree.put("a/b/c", file())
    tree.put("a", file(1))
    assert paths(tree) == ["a"]
    tree.folder("a")
    assert paths(tree) == []


def test_a_folder_keeps_what_is_in_it():
    tree = Tree()
    tree.put("a/b", file())
    tree.folder("a")
    assert paths(tree) == ["a/b"]


def test_paths_lead_through_links_inside_the_image():
    tree = Tree()
    tree.link("bin", "usr/bin", layer=0)
    tree.link("up", "../../../usr", layer=0)
    tree.link("abs", "/usr/./bin", layer=0)
    tree.put("usr/bin/a", file(0))
    tree.put("bin/a", file(1))
    tree.put("up/bin/b", file(1))
    tree.put("abs/c", file(1))
    assert [(path, one.layer) for path, one in tree.files()] == [("usr/bin/a", 1), ("usr/bin/b", 1), ("usr/bin/c", 1)]
    tree.folder("bin")
    tree.put("bin/x", file(2))
    assert paths(tree)[0] == "bin/x"


def test_a_whiteout_removes_only_what_is_below():
    tree = Tree()
    tree.put("a/old", file(0))
    tree.put("a/new", file(1))
    tree.put("b", file(0))
    tree.white_out("a", layer=1)
    tree.white_out("b", layer=1)
    tree.white_out("none/at/all", layer=1)
    assert paths(tree) == ["a/new"]


def test_an_opaque_folder_hides_what_is_below_in_it_and_not_itself():
    tree = Tree()
    tree.put("a/old", file(0))
    tree.put("a/d/old", file(0))
    tree.put("a/d/new", file(1))
    tree.put("c", file(0))
    tree.white_out("a", layer=1, only_inside=True)
    assert paths(tree) == ["a/d/new", "c"]
    tree.white_out("", layer=2, only_inside=True)
    assert paths(tree) == []


def test_links_that_go_in_a_circle_are_refused():
    tree = Tree()
    tree.link("a", "b", layer=0)
    tree.link("b", "a", layer=0)
    with pytest.raises(BadImageError) as caught:
        tree.put("a/x", file())
    assert caught.value.key == "link-loop"


def test_too_many_files_and_too_long_paths_are_refused(monkeypatch):
    monkeypatch.setattr(trees, "MOST_NODES", 10)
    tree = Tree()
    with pytest.raises(BadImageError):
        tree.put("/".join("abcdefghijkl"), file())
    with pytest.raises(BadImageError):
        tree.put("x" * 5000, file())
    with pytest.raises(BadImageError):
        tree.white_out("x", layer=1)


class Model:
    """The same as a plain list of paths."""

    def __init__(self):
        self.files = {}
        self.done = set()

    def drop(self, path, *, below=99, itself=True):
        gone = [one for one in self.files if (itself and one == path) or one.startswith(f"{path}/")]
        self.files = {one: layer for one, layer in self.files.items() if one not in gone or layer >= below}

    def put(self, path, layer):
        for place in (place for place, char in enumerate(path) if char == "/"):
            self.files.pop(path[:place], None)
        self.drop(path)
        self.files[path] = layer

    def white_out(self, path, layer, *, only_inside):
        if (path, layer) not in self.done:
            self.done.add((path, layer))
            self.drop(path, below=layer, itself=not only_inside)


NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "remove", "folder", "white", "opaque"]), NAMES), max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=4))
def test_the_tree_does_what_a_list_of_paths_would(layers):
    tree, model = Tree(), Model()
    for number, (step, path) in ((number, step) for number, steps in enumerate(layers) for step in steps):
        match step:
            case "put":
                model.put(path, number)
                tree.put(path, file(number))
            case "remove":
                model.drop(path)
                tree.remove(path)
            case "folder":
                model.files.pop(path, None)
                tree.folder(path)
            case _:
                model.white_out(path, number, only_inside=step == "opaque")
                tree.white_out(path, layer=number, only_inside=step == "opaque")
    assert {path: one.layer for path, one in tree.files()} == model.files
