from quarterdeck.binfmt.emulators.copies import remove_unused


def test_copies_that_nothing_uses_are_removed_and_nothing_else(tmp_path):
    used, unused, other = (
        tmp_path / name for name in ("qemu-aarch64-7.2.22-0123456789ab", "qemu-aarch64-7.2.9-0123456789ab", "qemu-aarch64")
    )
    for file in (used, unused, other):
        file.touch()
    assert remove_unused([str(used), "/usr/bin/qemu-arm"], tmp_path) == [unused]
    assert sorted(tmp_path.iterdir()) == [other, used]
