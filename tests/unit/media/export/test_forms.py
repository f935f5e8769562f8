from pathlib import Path

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.media.export.export import FORMATS, find_form


@pytest.mark.parametrize(("target", "name"), [("a.ova", "ova"), ("a.vmdk", "vmdk"), ("a.tar", "qcow2"), ("a", "qcow2")])
def test_the_ending_of_a_name_chooses_the_form(target, name):
    assert find_form(None, Path(target), compress=False).name == name


@pytest.mark.parametrize("name", FORMATS)
def test_only_an_ova_holds_all_disks(name):
    assert find_form(name, Path("a"), compress=False).holds_all == (name == "ova")


@pytest.mark.parametrize("name", ["ova", "containerdisk"])
def test_options_that_a_package_has_not_got_are_refused(name):
    with pytest.raises(UsageError):
        find_form(name, Path("a"), compress=False, preallocation="full")
    with pytest.raises(UsageError):
        find_form(name, Path("a"), compress=False, cluster_size=65536)


def test_other_forms_and_options_are_refused():
    for name, compress in (("qed", False), ("raw", True)):
        with pytest.raises(UsageError):
            find_form(name, Path("a"), compress=compress)
