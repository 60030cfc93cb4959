"""An issuer's keys as they come, change, go, and cannot be had."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from omni_gateway.auth import Rejected, Unverifiable
from omni_gateway.auth.oidc import rotation
from omni_gateway.auth.oidc.fetcher import FetchError
from omni_gateway.auth.oidc.keys import KeySet, key_set
from omni_gateway.auth.oidc.rotation import IssuerKeys, Timing
from tests.issuer import KEYS, Issuer, first_key, rsa, running_issuer

from .conftest import COLLECTION, Clock, Gate

TIMING = Timing(fresh=300, good=600, usable=3600, between=10, wait=10)


class Source:
    """Where an issuer's keys come from; ``hold`` keeps a fetch from ending."""

    def __init__(self) -> None:
        self.fetches = 0
        self.kids = ["one"]
        self.down = False
        self.hold = Event()
        self.hold.set()

    def __call__(self) -> KeySet:
        self.fetches += 1
        assert self.hold.wait(60)
        if self.down:
            raise FetchError("The host is away.")
        return key_set({"keys": [{**first_key().as_dict(private=False), "kid": kid} for kid in self.kids]})


@pytest.fixture
def source() -> Source:
    first_key()  # made before a test's time begins
    return Source()


@pytest.fixture
def keys(source: Source, clock: Clock) -> IssuerKeys:
    return IssuerKeys("https://login.example.com", source, TIMING, clock)


def has(keys: IssuerKeys, kid: str) -> bool:
    try:
        return bool(keys.find(kid, "RS256"))
    except Rejected:
        return False


def test_keys_are_fetched_once_and_kept(keys: IssuerKeys, source: Source) -> None:
    assert [has(keys, "one") for _ in range(5)] == [True] * 5
    assert source.fetches == 1


def test_a_new_key_is_fetched_when_a_token_names_it(keys: IssuerKeys, source: Source, clock: Clock) -> None:
    assert has(keys, "one")
    source.kids = ["one", "two"]
    clock.now += 10
    assert has(keys, "two")
    assert source.fetches == 2


def test_made_up_key_ids_cause_no_more_than_one_fetch_in_ten_seconds(
    keys: IssuerKeys, source: Source, clock: Clock
) -> None:
    assert has(keys, "one")
    for number in range(100):
        assert not has(keys, f"made-up-{number}")
    assert source.fetches == 1
    clock.now += 10
    assert not has(keys, "made-up")
    assert not has(keys, "made-up")
    assert source.fetches == 2


def test_a_withdrawn_key_is_forgotten_when_the_keys_are_old(
    keys: IssuerKeys, source: Source, clock: Clock, wait_until: Callable[..., Any]
) -> None:
    assert has(keys, "one")
    source.kids = ["two"]
    clock.now += 301
    assert has(keys, "one")  # while the new ones come
    wait_until(lambda: not has(keys, "one"), what="the end of the withdrawn key")
    assert has(keys, "two")


def test_a_withdrawn_key_does_not_count_after_a_long_silence(keys: IssuerKeys, source: Source, clock: Clock) -> None:
    assert has(keys, "one")
    source.kids = ["two"]
    clock.now += 601
    assert not has(keys, "one")


def test_an_issuer_that_is_down_keeps_its_keys_for_an_hour(keys: IssuerKeys, source: Source, clock: Clock) -> None:
    assert has(keys, "one")
    source.down = True
    clock.now += 3600
    assert has(keys, "one")
    clock.now += 1
    with pytest.raises(Rejected, match="cannot be fetched"):
        keys.find("one", "RS256")


def test_an_issuer_that_is_down_is_asked_every_ten_seconds(keys: IssuerKeys, source: Source, clock: Clock) -> None:
    source.down = True
    assert not any(has(keys, "one") for _ in range(20))
    assert source.fetches == 1
    clock.now += 10
    source.down = False
    assert has(keys, "one")


def test_many_callers_at_once_share_one_fetch(keys: IssuerKeys, source: Source) -> None:
    source.hold.clear()
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(has, keys, "one") for _ in range(16)]
        source.hold.set()
        assert [answer.result(20) for answer in answers] == [True] * 16
    assert source.fetches == 1


def test_nobody_with_a_known_key_waits_for_a_fetch(keys: IssuerKeys, source: Source, clock: Clock) -> None:
    assert has(keys, "one")
    clock.now += 301
    source.hold.clear()
    done = Event()
    Thread(target=lambda: (has(keys, "one"), done.set()), daemon=True).start()
    assert done.wait(60)
    source.hold.set()


def test_a_request_does_not_wait_for_ever(source: Source, clock: Clock) -> None:
    keys = IssuerKeys("https://login.example.com", source, Timing(wait=0.05), clock)
    source.hold.clear()
    with pytest.raises(Rejected, match="cannot be fetched"):
        keys.find("one", "RS256")
    source.hold.set()


def test_keys_are_fetched_again_when_they_are_older_than_five_minutes(
    keys: IssuerKeys, source: Source, clock: Clock, wait_until: Callable[..., Any]
) -> None:
    assert has(keys, "one")
    clock.now += 300
    assert has(keys, "one")
    assert (source.fetches, keys._flight) == (1, None)
    clock.now += 0.5
    assert has(keys, "one")
    wait_until(lambda: source.fetches == 2)


def test_a_request_waits_for_new_keys_when_those_that_there_are_are_older_than_ten_minutes(
    keys: IssuerKeys, source: Source, clock: Clock
) -> None:
    assert has(keys, "one")
    source.kids = ["two"]
    source.hold.clear()
    clock.now += 600
    assert has(keys, "one")  # no wait: the fetch is held
    source.hold.set()
    clock.now += 0.5
    assert not has(keys, "one")


def test_keys_are_fetched_by_a_thread_that_does_not_keep_the_process(source: Source, clock: Clock) -> None:
    threads: list[Thread] = []

    def load() -> KeySet:
        threads.append(current_thread())
        return source()

    assert has(IssuerKeys("https://login.example.com", load, TIMING, clock), "one")
    assert [(thread.name, thread.daemon) for thread in threads] == [("oidc-keys", True)]


def test_a_fetch_for_which_there_is_no_thread_is_begun_by_the_next_request(
    keys: IssuerKeys, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(Thread, "start", fail)
        with pytest.raises(Unverifiable):
            keys.find("one", "RS256")
    assert has(keys, "one")
    assert source.fetches == 1


@pytest.mark.parametrize(
    ("failure", "level", "text"),
    [
        (
            FetchError("The host is away."),
            logging.WARNING,
            "keys of the OIDC issuer https://login.example.com cannot be fetched: The host is away.",
        ),
        (KeyError("defect"), logging.ERROR, "keys of the OIDC issuer https://login.example.com cannot be fetched"),
    ],
)
def test_a_failed_fetch_is_logged_and_the_next_one_is_begun_ten_seconds_later(
    clock: Clock, source: Source, failure: Exception, level: int, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [failure]

    def load() -> KeySet:
        if failures:
            raise failures.pop()
        return source()

    keys = IssuerKeys("https://login.example.com", load, TIMING, clock)
    with pytest.raises(Unverifiable) as raised:
        keys.find("one", "RS256")
    assert str(raised.value) == "The keys of the token's issuer cannot be fetched at present."
    logged = [record for record in caplog.records if record.name == rotation.__name__]
    assert [(each.levelno, each.getMessage(), bool(each.exc_info)) for each in logged] == [
        (level, text, level == logging.ERROR)
    ]
    clock.now += 9.9
    assert not has(keys, "one")
    clock.now += 0.1
    assert has(keys, "one")


def test_a_key_that_the_issuer_does_not_have_is_no_outage(keys: IssuerKeys) -> None:
    assert has(keys, "one")
    with pytest.raises(Rejected) as raised:
        keys.find("two", "RS256")
    assert (type(raised.value), str(raised.value)) == (Rejected, "The token's issuer has no such key.")


def test_other_keys_are_those_of_the_algorithm_after_another_fetch(
    keys: IssuerKeys, source: Source, clock: Clock
) -> None:
    assert has(keys, "one")
    source.kids = ["two", "three"]
    clock.now += 10
    assert [key.kid for key in keys.find_others("RS256")] == ["two", "three"]
    assert keys.find_others("ES256") == ()


def test_without_a_timing_the_usual_one_holds(source: Source, clock: Clock) -> None:
    keys = IssuerKeys("https://login.example.com", source, clock=clock)
    assert has(keys, "one")
    assert not has(keys, "two")
    clock.now += Timing().between
    assert not has(keys, "two")
    assert source.fetches == 2


def test_a_verified_token_is_verified_again_after_a_minute(trusting: Callable[..., Gate], issuer: Issuer) -> None:
    gate, now, token = trusting(), float(int(time.time())), issuer.token()
    gate.method._clock = lambda: now
    first = gate.enter(token)
    now += 59
    assert gate.enter(token) is first
    now += 1
    second = gate.enter(token)
    assert (second, second is first) == (first, False)


def test_a_verified_token_is_verified_again_at_its_expiry(trusting: Callable[..., Gate], issuer: Issuer) -> None:
    gate, now = trusting(), float(int(time.time()))
    gate.method._clock = lambda: now
    token = issuer.token(exp=int(now) + 5)
    first = gate.enter(token)
    now += 4
    assert gate.enter(token) is first
    now += 1
    assert gate.enter(token) is not first


def test_the_keys_of_an_issuer_are_kept_while_a_provider_has_it(
    trusting: Callable[..., Gate], issuer: Issuer, clock: Clock
) -> None:
    gate = trusting()
    assert gate.enter(issuer.token())
    gate.trust(issuer, "second", client_id="other")
    assert gate.enter(issuer.token(aud="other"))
    assert issuer.asked.count(KEYS) == 1
    with running_issuer() as other:
        gate.trust(other, "third")
        for id in ("corporate", "second"):
            assert gate.store.documents.delete(COLLECTION, id, 1)
        clock.now += 1
        assert gate.enter(other.token())
        gate.trust(issuer)
        assert gate.enter(issuer.token())
    assert issuer.asked.count(KEYS) == 2


@pytest.mark.parametrize(("id", "named"), [("a:b", "a%3Ab"), ("a/b", "a%2Fb"), ("a-b", "a-b")])
def test_the_id_of_a_caller_names_its_provider(gate: Gate, issuer: Issuer, id: str, named: str) -> None:
    gate.trust(issuer, id)
    assert gate.enter(issuer.token(sub="x:y")).id == f"oidc:{named}:x:y"


def test_a_rotated_key_lets_in_and_the_old_one_no_more(trusting: Callable[..., Gate], issuer: Issuer) -> None:
    gate = trusting()
    old = issuer.token()
    assert gate.enter(old)
    issuer.keys = [rsa("two")]
    assert gate.enter(issuer.token(sub="bob"))
    assert "no such key" in gate.refuse(issuer.token(first_key(), sub="carol"))


def test_a_rotated_key_lets_in_tokens_that_name_no_key(trusting: Callable[..., Gate], issuer: Issuer) -> None:
    gate = trusting()
    assert gate.enter(issuer.token(head={"kid": None}))
    issuer.keys = [rsa("two")]
    assert gate.enter(issuer.token(head={"kid": None}, sub="bob"))


def test_bad_signatures_without_a_key_id_cause_no_more_than_one_fetch_in_ten_seconds(
    keys: IssuerKeys, source: Source, clock: Clock
) -> None:
    assert has(keys, "one")
    for _ in range(100):
        assert len(keys.find_others("RS256")) == 1
    assert source.fetches == 1
    clock.now += 10
    keys.find_others("RS256")
    assert source.fetches == 2


def test_with_the_key_set_down_known_keys_let_in_and_unknown_ones_do_not(
    trusting: Callable[..., Gate], issuer: Issuer
) -> None:
    gate = trusting()
    assert gate.enter(issuer.token())
    issuer.say(KEYS, {}, 503)
    assert gate.enter(issuer.token(sub="bob"))
    assert "no such key" in gate.refuse(issuer.token(rsa("two")))


def test_with_the_key_set_down_from_the_start_nobody_gets_in(trusting: Callable[..., Gate], issuer: Issuer) -> None:
    gate = trusting()
    issuer.say(KEYS, {}, 503)
    assert "cannot be fetched" in gate.refuse(issuer.token())
