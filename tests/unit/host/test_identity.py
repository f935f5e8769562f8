import os
import stat
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.host.fake_host import FakeHost

from quarterdeck.core.process import Identity
from quarterdeck.host.identity import IdentityChoice, choose_identity, identity_for

Chooser = Callable[..., IdentityChoice]

FULL = "0 0 4294967295\n"
CONTAINER = "0 100000 65536\n"


@pytest.fixture
def as_root(host: FakeHost) -> Any:
    def choose(name="web", taken=(), uid_map=FULL, gid_map=None, status="CapEff:\t000001ffffffffff\n", setgroups="allow") -> Any:
        host.write("/proc/self/uid_map", uid_map)
        host.write("/proc/self/gid_map", uid_map if gid_map is None else gid_map)
        host.write("/proc/self/status", status)
        host.write("/proc/self/setgroups", setgroups)
        return choose_identity(name, taken, root=host.root, uid=0)

    return choose


def test_an_ordinary_user_keeps_being_itself(host: FakeHost) -> None:
    choice = choose_identity("web", root=host.root, uid=1000)
    assert choice.identity is None
    assert choice.reason


def test_root_gives_each_machine_a_user_of_its_own(as_root: Chooser) -> None:
    web, db = as_root("web").identity, as_root("db").identity
    assert web is not None
    assert db is not None
    assert web.uid == web.gid
    assert web.uid != db.uid
    assert as_root("web").identity == web


def test_users_come_from_a_range_that_systemd_leaves_unused(as_root: Chooser) -> None:
    for name in ("web", "db", "a", "Küche", "x" * 300, "\udcff"):
        user = as_root(name).identity
        assert user is not None
        assert 2_000_200_000 < user.uid < 2_147_352_576


def test_a_taken_user_is_not_given_twice(as_root: Chooser) -> None:
    first = as_root("web").identity
    assert first is not None
    second = as_root("web", taken={first.uid}).identity
    assert second is not None
    assert second.uid != first.uid


def test_a_container_that_maps_65536_users_uses_the_small_range(as_root: Chooser) -> None:
    user = as_root(uid_map=CONTAINER).identity
    assert user is not None
    assert 60_706 <= user.uid < 61_184


def test_the_small_range_is_used_up_before_nobody_is_taken(as_root: Chooser) -> None:
    taken = set(range(60_706, 61_184))
    last = taken.pop()
    assert as_root(taken=taken, uid_map=CONTAINER).identity == Identity(last, last)
    choice = as_root(taken={*taken, last}, uid_map=CONTAINER)
    assert choice.identity == Identity(65534, 65534)
    assert "nobody" in choice.reason


def test_users_must_be_mapped_as_groups_too(as_root: Chooser) -> None:
    assert as_root(uid_map=FULL, gid_map=CONTAINER).identity is not None
    choice = as_root(uid_map=FULL, gid_map="0 1000 1\n")
    assert choice.identity is None
    assert "user namespace" in choice.reason


@pytest.mark.parametrize("uid_map", ["0 1000 1\n", "garbage\n", "0 0\n", "-1 -1 -1\n"])
def test_a_namespace_without_other_users_runs_qemu_as_its_root(as_root: Chooser, uid_map: str) -> None:
    choice = as_root(uid_map=uid_map)
    assert choice.identity is None
    assert choice.reason.startswith("QEMU runs as root")


def test_root_that_may_not_change_its_groups_or_user_stays_root(as_root: Chooser) -> None:
    assert as_root(setgroups="deny").identity is None
    choice = as_root(status="CapEff:\t0000000000000000\n")
    assert choice.identity is None
    assert "SETUID" in choice.reason


@pytest.mark.parametrize("status", ["", "CapEff: zz\n", "Name: x\n"])
def test_an_unreadable_status_is_no_obstacle(as_root: Chooser, status: str) -> None:
    assert as_root(status=status).identity is not None


@pytest.mark.parametrize(
    ("mode", "gid", "groups"),
    [(0o660, 106, (106,)), (0o666, 106, ()), (0o600, 106, ()), (0o640, 106, ()), (0o660, 0, ()), (0o660, 65534, ())],
)
def test_only_the_group_that_opens_kvm_is_kept(
    as_root: Chooser, monkeypatch: pytest.MonkeyPatch, mode: int, gid: int, groups: tuple[int, ...]
) -> None:
    plain = os.stat

    def fake(path: Any, **options: Any) -> Any:
        if str(path).endswith("/dev/kvm"):
            return SimpleNamespace(st_mode=stat.S_IFCHR | mode, st_gid=gid, st_uid=0)
        return plain(path, **options)

    monkeypatch.setattr(os, "stat", fake)
    user = as_root().identity
    assert user is not None
    assert user.groups == groups


def test_the_short_form_gives_the_same_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert identity_for("web") is None
