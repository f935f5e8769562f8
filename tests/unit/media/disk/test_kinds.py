import contextlib
from pathlib import Path

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.media.disk.kinds import KINDS, Options, find_kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.qcow2", "qcow2"),
        ("a.IMG", "raw"),
        ("a.vmdk", "vmdk"),
        ("a.vpc", "vhd"),
        ("a.hdd", "parallels"),
        ("a", "qcow2"),
        ("a.xz", "qcow2"),
    ],
)
def test_the_ending_of_a_name_chooses_the_format(name, kind):
    assert find_kind(None, Path(name)).name == kind


def test_a_format_that_is_named_counts_more_than_the_ending():
    assert find_kind("vpc", Path("a.qcow2")).driver == "vpc"
    with pytest.raises(UsageError) as caught:
        find_kind("dmg", Path("a.dmg"))
    assert caught.value.key == "unknown-format"


def options_of(kind) -> list[Options]:
    return [
        Options(kind=kind, compress=True),
        *(Options(kind=kind, preallocation=mode) for mode in ("metadata", "falloc", "full")),
        *(Options(kind=kind, cluster_size=size) for size in (512, 65536, 1 << 20, 3 << 20, 1 << 30)),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_option_is_used_or_refused_and_never_ignored(kind):
    plain = Options(kind=kind).words()
    for options in options_of(kind):
        with contextlib.suppress(UsageError):
            assert options.words() != plain or (options.compress and kind.compress == ())


def test_a_compressed_disk_cannot_be_preallocated():
    with pytest.raises(UsageError) as caught:
        Options(kind=KINDS[0], compress=True, preallocation="full").words()
    assert caught.value.key == "options-contradict"
