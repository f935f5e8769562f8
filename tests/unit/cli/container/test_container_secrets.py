"""What variables give in words is kept as hashes, and forgotten when they do not give it any more."""

import json
from pathlib import Path

from quarterdeck.cli.container.machine import _keep
from quarterdeck.machine.environment import ViewerSecrets
from quarterdeck.machine.layout import MachineLayout


def test_words_are_kept_as_hashes_only_and_as_long_as_they_are_given(tmp_path: Path) -> None:
    layout = MachineLayout(tmp_path)
    _keep(ViewerSecrets(password="correct horse", token="0123456789abcdef"), layout)
    kept = layout.secrets.read_text()
    assert not any(word in kept for word in ("correct", "0123456789abcdef"))
    assert layout.secrets.stat().st_mode & 0o777 == 0o600
    assert sum(value is not None for value in json.loads(kept).values()) == 2
    _keep(ViewerSecrets(), layout)
    assert not any(json.loads(layout.secrets.read_text()).values())
