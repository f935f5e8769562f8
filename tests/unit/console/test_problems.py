import pytest

from quarterdeck.console.problems import RefusedError, status_of
from quarterdeck.errors import DeadlineError, HostError, MediaError, QemuError, QuarterdeckError, SpecError, TargetError, UsageError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("wrong-state", "no"), 409),
        (UsageError("no-screen", "no"), 409),
        (UsageError("anything", "no"), 400),
        (SpecError("spec.yaml", []), 400),
        (DeadlineError("late", "no"), 504),
        (QemuError("qmp", "no"), 502),
        (TargetError("engine", "no"), 502),
        (MediaError("image", "no"), 502),
        (HostError("disk-full", "no"), 500),
        (QuarterdeckError("other", "no"), 500),
        (RefusedError(429, "too-many", "no"), 429),
    ],
)
def test_statuses(error, status):
    assert status_of(error) == status
