"""The storage of machines: snapshots, backups, restores, clones, growth. Each operation can be killed anywhere and loses nothing."""
