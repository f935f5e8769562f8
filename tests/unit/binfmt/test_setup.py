import pytest
from tests.unit.binfmt.fake_kernel import FakeKernel

from quarterdeck.binfmt import setup
from quarterdeck.binfmt.kernel.registration import Registration
from quarterdeck.binfmt.persist.choice import Choice, Keeper
from quarterdeck.binfmt.setup import check_removal, take_away
from quarterdeck.core.arch import find_arch
from quarterdeck.errors import HostError

NOBODY = Choice(Keeper.NONE, "nothing registers at boot")


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "refuse_inherited", lambda folder: None)
    monkeypatch.setattr(setup, "in_first_user_namespace", lambda: False)
    kernel = FakeKernel(tmp_path / "binfmt_misc")
    monkeypatch.setattr(setup, "Registry", lambda folder: kernel)
    kernel.register(Registration.of(find_arch("arm64"), "/usr/bin/cat", ""))
    kernel.register(Registration.of(find_arch("riscv64"), "/usr/bin/qemu-riscv64", "F"))
    return kernel


@pytest.mark.parametrize("words", [["qemu-aarch64"], ["arm64"], ["linux/arm64"], ["riscv64,arm64"]])
def test_what_is_named_and_is_not_qemus_is_an_error_before_anything_is_touched(kernel, words):
    with pytest.raises(HostError, match="qemu-aarch64 is not removed"):
        take_away(words, keeper=NOBODY, mount=kernel.folder)
    assert len(kernel.entries()) == 2


@pytest.mark.parametrize("words", [["all"], ["qemu-*"], ["riscv64", "all"]])
def test_what_is_only_matched_and_is_not_qemus_stays(kernel, words):
    outcome = take_away(words, keeper=NOBODY, mount=kernel.folder)
    assert [entry.name for entry in kernel.entries()] == ["qemu-aarch64"]
    assert [step.name for step in outcome.plan.refusals] == ["qemu-aarch64"]


def test_a_dry_run_finds_the_same_fault(kernel):
    with pytest.raises(HostError):
        check_removal(["arm64"], kernel.entries())
    check_removal(["all"], kernel.entries())
