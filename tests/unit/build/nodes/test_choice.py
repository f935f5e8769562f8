from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.build.nodes.choice import Emulation, Policy, assign, fail_over
from quarterdeck.build.nodes.model import NodeFacts, Runs
from quarterdeck.build.platform import Platform

AMD64, ARM64, RISCV = (Platform.parse(f"linux/{name}") for name in ("amd64", "arm64", "riscv64"))
N, E = Runs.NATIVE, Runs.EMULATED


def node(name: str, platforms, **more) -> NodeFacts:
    return NodeFacts(name=name, platforms=platforms, **more)


def places(assignment):
    return {str(platform): one.node for platform, one in assignment.placements.items()}


PC = node("pc", {AMD64: N, ARM64: E, RISCV: E}, slots=8)
ARM = node("arm", {ARM64: N, AMD64: E}, slots=1, weight=0.1)


def test_native_comes_before_emulated_however_slow_and_late_in_the_list():
    result = assign([ARM64, AMD64], [PC, ARM], seconds={("pc", ARM64): 1.0, ("arm", ARM64): 5000.0})
    assert places(result) == {"linux/arm64": "arm", "linux/amd64": "pc"}
    assert result.warnings == ()
    assert result.placements[ARM64].others == ("pc",)
    assert result.placements[ARM64].reason == "arm runs linux/arm64 natively"


def test_emulation_is_said_unless_it_is_allowed():
    assert len(assign([RISCV], [PC]).warnings) == 1
    assert "linux/riscv64 is emulated on pc" in assign([RISCV], [PC]).warnings[0]
    assert assign([RISCV], [PC], Policy(Emulation.ALLOW)).warnings == ()


def test_emulation_that_is_not_allowed_leaves_the_platform_out_and_says_who_could():
    result = assign([AMD64, RISCV], [PC], Policy(Emulation.NEVER))
    assert places(result) == {"linux/amd64": "pc"}
    assert "pc" in result.missing[RISCV]
    assert "not allowed" in result.missing[RISCV]


def test_what_is_cross_compiled_runs_anywhere_but_natively_first():
    policy = Policy(Emulation.NEVER, cross=frozenset({ARM64, RISCV}))
    assert places(assign([ARM64, RISCV], [PC, ARM], policy)) == {"linux/arm64": "arm", "linux/riscv64": "pc"}
    alone = assign([ARM64], [node("x", {AMD64: N})], policy).placements[ARM64]
    assert (alone.node, alone.runs) == ("x", None)


def test_cross_comes_before_emulation_on_another_node():
    emulating, other = node("a", {ARM64: E}), node("b", {AMD64: N})
    result = assign([ARM64], [emulating, other], Policy(cross=frozenset({ARM64})))
    assert result.placements[ARM64].runs is None


def test_nodes_that_are_down_get_nothing_and_are_named():
    dead = node("arm", {ARM64: N}, healthy=False, problem="refused")
    result = assign([ARM64], [dead, node("x", {AMD64: N})])
    assert places(result) == {}
    assert "arm cannot be reached" in result.missing[ARM64]


def test_equal_nodes_share_the_work():
    twins = [node("a", {AMD64: N, ARM64: N}), node("b", {AMD64: N, ARM64: N})]
    assert sorted(places(assign([AMD64, ARM64], twins)).values()) == ["a", "b"]


def test_a_node_that_alone_can_do_something_is_kept_free_for_it():
    both, one = node("both", {AMD64: N, ARM64: N}), node("one", {AMD64: N})
    assert places(assign([AMD64, ARM64], [both, one])) == {"linux/amd64": "one", "linux/arm64": "both"}


def test_the_node_that_was_faster_last_time_is_taken():
    twins = [node("a", {AMD64: N}), node("b", {AMD64: N})]
    assert places(assign([AMD64], twins, seconds={("a", AMD64): 90.0, ("b", AMD64): 30.0})) == {"linux/amd64": "b"}


def test_weight_counts_where_nothing_was_measured():
    assert places(assign([AMD64], [node("a", {AMD64: N}), node("b", {AMD64: N}, weight=4)])) == {"linux/amd64": "b"}


def test_the_order_of_the_platforms_stays():
    assert list(assign([RISCV, AMD64, ARM64], [PC, ARM]).placements) == [RISCV, AMD64, ARM64]


def test_when_a_node_dies_its_platforms_move_and_nothing_else_changes():
    before = assign([AMD64, ARM64, RISCV], [PC, ARM])
    after, loss = fail_over(before, "arm", [PC, ARM], problem="connection reset")
    assert places(after) == {"linux/amd64": "pc", "linux/riscv64": "pc", "linux/arm64": "pc"}
    assert after.placements[AMD64].node == before.placements[AMD64].node
    assert [one.platform for one in loss.moved] == [ARM64]
    assert loss.text() == "node arm is lost (connection reset): linux/arm64 goes to pc (emulated)"
    assert all("arm" not in one.others for one in after.placements.values())


def test_what_was_done_before_the_node_died_is_not_built_again():
    before = assign([ARM64], [PC, ARM])
    after, loss = fail_over(before, "arm", [PC, ARM], problem="gone", done=[ARM64])
    assert places(after) == {"linux/arm64": "arm"}
    assert "nothing was left" in loss.text()


def test_what_nobody_else_can_build_is_lost_in_words():
    before = assign([ARM64], [ARM, node("x", {AMD64: N})])
    after, loss = fail_over(before, "arm", [ARM, node("x", {AMD64: N})], problem="gone")
    assert places(after) == {}
    assert loss.lost == {ARM64: "no node runs it"}


def test_a_second_death_is_survived_too():
    third = node("third", {ARM64: E})
    nodes = [PC, ARM, third]
    first, _ = fail_over(assign([ARM64], nodes), "arm", nodes, problem="gone")
    second, loss = fail_over(first, "pc", [node for node in nodes if node.name != "arm"], problem="gone too")
    assert places(second) == {"linux/arm64": "third"}
    assert loss.moved[0].node == "third"


_PLATFORMS = st.sampled_from([AMD64, ARM64, RISCV])
_NODES = st.lists(
    st.builds(
        node,
        st.sampled_from("abcdef"),
        st.dictionaries(_PLATFORMS, st.sampled_from(Runs)),
        slots=st.integers(1, 4),
        weight=st.floats(0.1, 10),
        healthy=st.booleans(),
    ),
    unique_by=lambda one: one.name,
)


@given(st.lists(_PLATFORMS, unique=True), _NODES, st.sampled_from(Emulation), st.sets(_PLATFORMS))
def test_each_platform_is_placed_well_or_missing_with_a_reason(platforms, nodes, emulation, cross):
    result = assign(platforms, nodes, Policy(emulation, frozenset(cross)))
    assert set(result.placements) | set(result.missing) == set(platforms)
    assert not set(result.placements) & set(result.missing)
    by_name = {one.name: one for one in nodes}
    for platform, placement in result.placements.items():
        assert by_name[placement.node].healthy
        native = [one for one in nodes if one.healthy and one.platforms.get(platform) is N]
        assert not native or placement.runs is N
        assert placement.runs is not E or (emulation is not Emulation.NEVER and platform not in cross)
    assert all(result.missing.values())


@given(st.lists(_PLATFORMS, unique=True), _NODES)
def test_fail_over_keeps_all_that_is_elsewhere(platforms, nodes):
    before = assign(platforms, nodes)
    for dead in {one.node for one in before.placements.values()}:
        after, loss = fail_over(before, dead, nodes, problem="gone")
        assert all(one.node != dead for one in after.placements.values())
        stayed = [platform for platform, one in before.placements.items() if one.node != dead]
        assert all(after.placements[platform].node == before.placements[platform].node for platform in stayed)
        assert {one.platform for one in loss.moved} | set(loss.lost) == set(before.on(dead))
