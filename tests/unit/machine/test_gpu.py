from dataclasses import replace

import pytest
from tests.unit.machine.test_resolve import host, machine, only_devices, refusal, why

from quarterdeck.core.process import Identity
from quarterdeck.errors import HostError, UsageError
from quarterdeck.host.facts import RenderNode
from quarterdeck.machine.compose import compose

FIRST, SECOND = RenderNode("/dev/dri/renderD128"), RenderNode("/dev/dri/renderD129", group=44)
CLOSED = RenderNode("/dev/dri/renderD128", "you may not open it")
GPU = "display: {gpu: true, resolution: 800x600}"


def test_a_gpu_draws_and_the_viewer_stays_the_same():
    command = compose(machine(GPU, replace(host("x86_64"), render_nodes=(FIRST,)))).argv
    assert '{"type":"egl-headless","rendernode":"/dev/dri/renderD128"}' in command
    assert "none" not in command
    assert "-vnc" in command
    assert any('"virtio-vga-gl"' in word and '"xres":800' in word for word in command)


def test_elsewhere_than_on_a_pc_the_screen_is_another():
    resolved = machine("arch: aarch64\n" + GPU, replace(host("aarch64"), render_nodes=(FIRST,)))
    assert (resolved.display.device, resolved.display.gpu) == ("virtio-gpu-gl-pci", "/dev/dri/renderD128")


def test_the_first_that_can_be_used_is_taken_unless_one_is_named():
    facts = replace(host("x86_64"), render_nodes=(CLOSED, SECOND))
    assert machine(GPU, facts).display.gpu == SECOND.path
    assert why(machine("display: {gpu: /dev/dri/renderD129}", facts), "GPU") == "/dev/dri/renderD129: the spec names it"


def test_qemus_user_joins_the_group_of_the_node():
    facts = replace(host("x86_64"), render_nodes=(SECOND,), identity=Identity(1000, 1000, (7,)))
    assert machine(GPU, facts).identity == Identity(1000, 1000, (7, 44))
    assert machine("{}", facts).identity == facts.identity


@pytest.mark.parametrize(
    ("text", "nodes", "key"),
    [(GPU, (), "gpu-missing"), (GPU, (CLOSED,), "gpu-closed"), ("display: {gpu: /dev/dri/renderD130}", (FIRST,), "gpu-missing")],
)
def test_a_gpu_that_cannot_draw_is_refused_with_the_reason(text, nodes, key):
    assert refusal(HostError, text, replace(host("x86_64"), render_nodes=nodes)).key == key


def test_a_missing_module_is_named():
    assert "qemu-system-modules-opengl" in refusal(HostError, GPU, replace(only_devices(), render_nodes=(FIRST,))).hint


def test_a_machine_without_pci_has_none():
    refusal(UsageError, "machine_type: microvm\n" + GPU, replace(host("x86_64"), render_nodes=(FIRST,)))


def test_what_ballooning_means_is_explained():
    assert why(machine("memory: 2G\nballooning: {minimum: 1G}"), "ballooning").startswith("1 GiB to 2 GiB: taken while more than 80 %")
    assert why(machine("ballooning: {}", only_devices()), "ballooning").startswith("33% to 2 GiB")
