"""A request's time, and an Omni that takes calls and answers none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from omni_gateway.omni import OmniClient, OmniConfig, deadline, errors, outcomes, rpcs
from omni_gateway.stubs import resources_pb2 as pb
from tests.omni_client.scripted_omni import ScriptedOmni, TestKey

TIMEOUT = 0.4
TYPE = "Clusters.omni.sidero.dev"


class Silence:
    """Holds every call back until it ends; the calls that were held are answered then."""

    def __init__(self, omni: ScriptedOmni) -> None:
        self.over = threading.Event()
        for rpc in (rpcs.GET, rpcs.LIST, rpcs.CREATE):
            omni.answer(rpc, self._answer(rpc))

    def _answer(self, rpc: Any) -> Callable[[Any, grpc.ServicerContext], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            self.over.wait(30)
            return pb.GetResponse(body="{}") if rpc is rpcs.GET else rpc.response()

        return answer


@pytest.fixture
def hasty(scripted: ScriptedOmni, key: TestKey) -> Iterator[OmniClient]:
    """A client to which an Omni is silent after the timeout of a call."""
    with OmniClient(OmniConfig(f"http://127.0.0.1:{scripted.port}", key.text, timeout=TIMEOUT)) as omni:
        yield omni


@pytest.fixture
def silence(scripted: ScriptedOmni) -> Iterator[Silence]:
    held = Silence(scripted)
    yield held
    held.over.set()


def fail(client: OmniClient, **options: Any) -> errors.OmniError:
    with pytest.raises(errors.OmniError) as failed:
        client.resources.list(TYPE, **options)
    return failed.value


def test_a_call_gets_what_is_left_of_the_requests_time(client: OmniClient, silence: Silence) -> None:
    began = time.monotonic()
    with deadline.until(began + 0.3):
        assert isinstance(fail(client), errors.DeadlineExceeded)
    assert 0.3 <= time.monotonic() - began < 5  # the client's own bound is ten


def test_a_call_for_which_no_time_is_left_is_not_sent(client: OmniClient, scripted: ScriptedOmni) -> None:
    with deadline.until(time.monotonic()), pytest.raises(errors.NoTimeLeft) as failed:
        client.resources.create(TYPE, "a", {})
    assert scripted.asked == []
    assert not outcomes.may_have_been_applied(failed.value)


def test_what_was_begun_in_time_may_be_undone_after_it(client: OmniClient, scripted: ScriptedOmni) -> None:
    with deadline.until(time.monotonic()), deadline.at_least(5):
        client.resources.list(TYPE)
    assert len(scripted.asked) == 1


def test_there_is_a_moment_to_see_whether_a_write_was_done_and_only_one(client: OmniClient) -> None:
    with deadline.until(time.monotonic()):
        deadline.grace()
        deadline.grace()
        assert 0 < deadline.left(60) <= deadline.GRACE_SECONDS


def test_a_stream_of_a_request_ends_with_its_time_and_one_for_its_caller_does_not(client: OmniClient) -> None:
    with deadline.until(time.monotonic()):
        with pytest.raises(errors.NoTimeLeft):
            client.resources.watch(TYPE)
        with deadline.opening_stream():
            client.resources.watch(TYPE).cancel()


def test_calls_fail_at_once_when_omni_is_silent(hasty: OmniClient, silence: Silence, scripted: ScriptedOmni) -> None:
    assert isinstance(fail(hasty), errors.DeadlineExceeded)
    sent, began = len(scripted.asked), time.monotonic()
    with pytest.raises(errors.OmniSilent) as failed:
        hasty.resources.create(TYPE, "a", {})
    with pytest.raises(errors.OmniSilent):
        hasty.resources.watch(TYPE)
    assert time.monotonic() - began < TIMEOUT
    assert (len(scripted.asked), outcomes.may_have_been_applied(failed.value)) == (sent, False)
    assert failed.value.retry_after


def test_calls_that_wait_are_ended_when_omni_turns_out_to_be_silent(hasty: OmniClient, silence: Silence) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(fail, hasty, timeout=30)
        began = time.monotonic()
        fail(hasty)
        assert isinstance(waiting.result(), errors.Cancelled | errors.Unavailable)
        assert time.monotonic() - began < 15


def test_an_answer_to_a_probe_ends_the_silence(
    hasty: OmniClient, silence: Silence, wait_until: Callable[..., Any]
) -> None:
    fail(hasty)
    assert isinstance(fail(hasty), errors.OmniSilent)
    with pytest.raises(errors.DeadlineExceeded):
        hasty.ping(timeout=0.2)
    assert isinstance(fail(hasty), errors.OmniSilent)
    silence.over.set()
    hasty.ping(timeout=10)
    hasty.resources.list(TYPE)


def test_where_nobody_probes_a_call_now_and_then_finds_out(
    hasty: OmniClient, silence: Silence, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr("omni_gateway.omni.circuit.TRIAL_SECONDS", 0.5)
    fail(hasty)
    silence.over.set()

    def answered() -> bool:
        try:
            hasty.resources.list(TYPE)
        except errors.OmniSilent:
            return False
        return True

    wait_until(answered)


def test_a_slow_call_is_no_silence_while_others_are_answered(
    hasty: OmniClient, scripted: ScriptedOmni, silence: Silence
) -> None:
    scripted.answer(rpcs.GET, pb.GetResponse(body="{}"))
    stop = threading.Event()

    def read_on() -> None:
        while not stop.is_set():
            hasty.resources.get(TYPE, "a")

    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(read_on)
        assert [type(fail(hasty)) for _ in range(2)] == [errors.DeadlineExceeded] * 2
        stop.set()
        others.result()


def test_omnis_own_deadline_is_an_answer(hasty: OmniClient, scripted: ScriptedOmni) -> None:
    """A machine that Omni cannot reach, for one: Omni itself answers DEADLINE_EXCEEDED then."""
    late = grpc.StatusCode.DEADLINE_EXCEEDED
    scripted.answer(rpcs.LIST, lambda request, context: context.abort(late, "the machine does not answer"))
    assert [type(fail(hasty)) for _ in range(3)] == [errors.DeadlineExceeded] * 3
