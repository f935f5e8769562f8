import json
import threading

import pytest

from quarterdeck.console import auth as auth_module
from quarterdeck.console.auth import LINK_LIFETIME, SESSION_LIFETIME, Auth, LoginLimit
from quarterdeck.console.credentials import Credentials, Login
from quarterdeck.console.origin import HostPolicy
from quarterdeck.console.sessions import Session, SessionStore
from quarterdeck.core import clock, fs


@pytest.fixture
def now(monkeypatch):
    times = [1000.0]
    monkeypatch.setattr(clock, "now", lambda: times[0])
    return times


@pytest.fixture
def secrets(tmp_path):
    return tmp_path / "secrets.json"


def make(secrets):
    return Auth(SessionStore(secrets), HostPolicy("127.0.0.1"), port=8006, credentials=Credentials(Login(), secrets))


def test_a_token_works_once(secrets):
    auth = make(secrets)
    token = auth.issue(view_only=False)
    session, cookie = auth.redeem(token)
    assert auth.session(cookie) == session
    assert auth.redeem(token) is None


@pytest.mark.parametrize("wrong", ["", "nonsense", "\ud800", "é" * 1000])
def test_a_wrong_token_or_cookie_is_refused(secrets, wrong):
    auth = make(secrets)
    auth.issue(view_only=False)
    assert auth.redeem(wrong) is None
    assert auth.session(wrong) is None
    assert auth.session(None) is None


def test_view_only_is_a_property_of_the_link(secrets):
    auth = make(secrets)
    assert auth.redeem(auth.issue(view_only=True))[0].view_only
    assert not auth.redeem(auth.issue(view_only=False))[0].view_only


def test_unused_links_expire(secrets, now):
    auth = make(secrets)
    token = auth.issue(view_only=False)
    now[0] += LINK_LIFETIME + 1
    assert auth.redeem(token) is None


def test_sessions_expire(secrets, now):
    auth = make(secrets)
    _, cookie = auth.redeem(auth.issue(view_only=False))
    now[0] += SESSION_LIFETIME - 1
    assert auth.session(cookie)
    now[0] += 2
    assert auth.session(cookie) is None


def test_sessions_survive_a_new_supervisor_and_links_do_not(secrets):
    first = make(secrets)
    session, cookie = first.redeem(first.issue(view_only=True))
    link = first.issue(view_only=False)
    second = make(secrets)
    assert second.session(cookie) == session
    assert second.redeem(link) is None


def test_logout_ends_only_that_session_for_good(secrets):
    auth = make(secrets)
    ended, ended_cookie = auth.redeem(auth.issue(view_only=False))
    _, other_cookie = auth.redeem(auth.issue(view_only=False))
    auth.end(ended)
    assert auth.session(ended_cookie) is None
    assert auth.session(other_cookie)
    assert make(secrets).session(ended_cookie) is None


def test_neither_tokens_nor_cookies_reach_the_disk(secrets):
    auth = make(secrets)
    token = auth.issue(view_only=False)
    _, cookie = auth.redeem(token)
    text = secrets.read_text()
    assert token not in text
    assert cookie not in text
    assert secrets.stat().st_mode & 0o777 == 0o600


def test_other_secrets_in_the_file_are_kept(secrets):
    secrets.write_text(json.dumps({"password": "hunter2"}))
    auth = make(secrets)
    auth.redeem(auth.issue(view_only=False))
    assert json.loads(secrets.read_text())["password"] == "hunter2"


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", '{"sessions": 3}', '{"sessions": [1, {"digest": 2}, {"digest": "a", "view_only": 1, "expires": 5}]}']
)
def test_a_broken_file_only_costs_a_login(secrets, text):
    secrets.write_text(text)
    auth = make(secrets)
    _, cookie = auth.redeem(auth.issue(view_only=False))
    assert make(secrets).session(cookie)


def test_a_full_disk_does_not_lock_anybody_out(secrets, monkeypatch, caplog):
    def fail(self, sessions):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SessionStore, "save", fail)
    auth = make(secrets)
    _, cookie = auth.redeem(auth.issue(view_only=False))
    assert auth.session(cookie)
    assert "No space left" in caplog.text


def test_memory_for_links_and_sessions_is_bounded(secrets, monkeypatch):
    monkeypatch.setattr(auth_module, "_LINKS_KEPT", 3)
    monkeypatch.setattr(auth_module, "_SESSIONS_KEPT", 2)
    auth = make(secrets)
    tokens = [auth.issue(view_only=False) for _ in range(5)]
    assert [auth.redeem(token) is not None for token in tokens] == [False, False, True, True, True]
    assert len(SessionStore(secrets).load()) == 2


def test_sessions_from_a_clock_that_ran_ahead_are_shortened(secrets, now):
    SessionStore(secrets).save([Session("a" * 64, view_only=False, expires=9e12)])
    make(secrets)._keep(make(secrets)._sessions)
    assert SessionStore(secrets).load()[0].expires == now[0] + SESSION_LIFETIME


def test_login_limit_counts_failures_of_one_client(now):
    limit = LoginLimit(tries=3, seconds=60)
    for _ in range(3):
        assert limit.wait("a") == 0
        limit.failed("a")
    assert limit.wait("a") == 60
    assert limit.wait("b") == 0
    now[0] += 61
    assert limit.wait("a") == 0
    limit.failed("a")
    assert limit.wait("a") == 0


def test_login_limit_survives_a_clock_set_back(now):
    limit = LoginLimit(tries=1, seconds=60)
    limit.failed("a")
    now[0] -= 100000
    assert limit.wait("a") == 0


def test_login_limit_forgets_the_oldest_clients(now):
    limit = LoginLimit(tries=1, kept=10)
    for number in range(100):
        limit.failed(str(number))
    assert len(limit._failures) == 10
    assert limit.wait("99") > 0


def test_a_password_that_is_made_at_the_same_time_is_not_lost(secrets):
    store = SessionStore(secrets)
    threads = [threading.Thread(target=fs.update_json, args=(secrets, {f"part{number}": number})) for number in range(8)]
    for thread in threads:
        thread.start()
    store.save([Session("a" * 64, view_only=False, expires=9e12)])
    for thread in threads:
        thread.join()
    assert set(json.loads(secrets.read_text())) == {"sessions", *(f"part{number}" for number in range(8))}


def test_addresses_of_one_ipv6_network_count_as_one_client_and_right_tries_do_not_count(now):
    limit = LoginLimit(tries=2)
    limit.failed("2001:db8::1")
    limit.forgive("2001:db8::2")
    limit.failed("2001:db8::3")
    assert limit.wait("2001:db8::4") == 0
    limit.failed("2001:db8::ffff:5%eth0")
    assert limit.wait("2001:db8::6") > 0
    assert limit.wait("2001:db8:0:1::6") == 0
    assert limit.wait("::ffff:192.0.2.1") == 0


def test_a_session_ends_with_the_secret_that_it_came_from(secrets, tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef")
    login = Login(token_file=tmp_path / "token")
    known = Auth(SessionStore(secrets), HostPolicy("127.0.0.1"), port=1, credentials=Credentials(login, secrets))
    redeemed = known.redeem("0123456789abcdef")
    assert redeemed is not None
    again = Auth(SessionStore(secrets), HostPolicy("127.0.0.1"), port=1, credentials=Credentials(login, secrets))
    assert again.session(redeemed[1]) == redeemed[0]
    without = Auth(SessionStore(secrets), HostPolicy("127.0.0.1"), port=1, credentials=Credentials(Login(), secrets))
    assert without.session(redeemed[1]) is None
