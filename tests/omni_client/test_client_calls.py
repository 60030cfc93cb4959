"""How a call travels: signed, bounded in time, tried again only where that is harmless."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pysequoia
import pytest

from omni_gateway.omni import KeySigner, OmniClient, OmniConfig, errors, parse_key, rpcs
from omni_gateway.stubs import resources_pb2 as pb
from omni_gateway.stubs import resources_pb2_grpc
from tests.omni_client.counting_proxy import CountingProxy
from tests.omni_client.scripted_omni import ScriptedOmni, TestKey, make_key, serving

OBJECT = pb.GetResponse(body='{"metadata": {"id": "c1", "version": 3}, "spec": {}}')


def unavailable(times: int, then: Any) -> Callable[[Any, grpc.ServicerContext], Any]:
    left = iter(range(times))

    def behave(request: Any, context: grpc.ServicerContext) -> Any:
        if next(left, None) is not None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
        return then

    return behave


def failing(code: grpc.StatusCode, text: str = "no") -> Callable[[Any, grpc.ServicerContext], Any]:
    return lambda request, context: context.abort(code, text)


def test_every_call_is_signed_over_what_it_carries(client: OmniClient, scripted: ScriptedOmni, key: TestKey) -> None:
    client.resources.list("Clusters.omni.sidero.dev", selectors=["a = b", "!c"])

    (asked,) = scripted.asked
    (payload,) = asked.values("x-sidero-payload")
    (header,) = asked.values("x-sidero-signature")
    version, name, fingerprint, text = header.split(" ")
    signature = pysequoia.Sig.from_bytes(base64.b64decode(text))
    verified = pysequoia.verify(payload.encode(), lambda _: [key.certificate], signature=signature)
    assert verified.valid_sigs
    assert (version, name, fingerprint) == ("siderov1", "automation", key.certificate.fingerprint)
    assert json.loads(payload) == {
        "headers": {
            "x-sidero-timestamp": asked.values("x-sidero-timestamp"),
            "runtime": ["Omni"],
            "selectors": ["a = b", "!c"],
        },
        "method": "/omni.resources.ResourceService/List",
    }
    assert asked.values("selectors") == ["a = b", "!c"]


def test_a_call_to_a_machine_names_its_node_unsigned(client: OmniClient, scripted: ScriptedOmni) -> None:
    client.machines.reboot("10.5.0.3", cluster="c1", mode="POWERCYCLE")

    (asked,) = scripted.asked
    (payload,) = asked.values("x-sidero-payload")
    assert asked.values("node") == ["10.5.0.3"]
    assert asked.request.mode == 1
    assert set(json.loads(payload)["headers"]) == {"x-sidero-timestamp", "runtime", "cluster"}


def test_registering_a_key_is_not_signed(client: OmniClient, scripted: ScriptedOmni) -> None:
    client.auth.register_public_key("-----BEGIN…", "me@example.com", role="Reader")
    client.auth.await_public_key_confirmation("abc")
    client.auth.confirm_public_key("abc", authorization="token")
    client.auth.revoke_public_key("abc")
    assert [bool(asked.values("x-sidero-signature")) for asked in scripted.asked] == [False, False, False, True]


def test_a_generated_stub_over_the_clients_channel_is_signed_too(client: OmniClient, scripted: ScriptedOmni) -> None:
    resources_pb2_grpc.ResourceServiceStub(client.channel()).Get(pb.GetRequest(id="c1"), metadata=[("runtime", "Omni")])
    assert scripted.asked[0].values("x-sidero-signature")


def test_another_identity_speaks_over_the_same_connection(client: OmniClient, scripted: ScriptedOmni) -> None:
    caller = make_key("caller")
    with client.acting_as(KeySigner(parse_key(caller.text))) as other:
        client.resources.teardown("Clusters.omni.sidero.dev", "c1")
        other.resources.teardown("Clusters.omni.sidero.dev", "c1")
    client.resources.teardown("Clusters.omni.sidero.dev", "c1")

    names = [asked.values("x-sidero-signature")[0].split(" ")[1] for asked in scripted.asked]
    assert names == ["automation", "caller", "automation"]
    assert len({asked.peer for asked in scripted.asked}) == 1


def test_an_expired_key_is_refused_here_and_nothing_is_sent(scripted: ScriptedOmni) -> None:
    expired = make_key(validity_seconds=30)
    config = OmniConfig(f"http://127.0.0.1:{scripted.port}", expired.text)
    with OmniClient(config) as client, pytest.raises(errors.CredentialRefused, match="expired at"):
        client.ping()
    assert scripted.asked == []


def test_a_read_is_tried_again_with_the_same_signature(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.GET, unavailable(2, OBJECT))
    assert client.resources.get("Clusters.omni.sidero.dev", "c1")["metadata"]["version"] == 3
    assert len(scripted.asked) == 3
    assert len({asked.values("x-sidero-signature")[0] for asked in scripted.asked}) == 1


def test_a_read_gives_up_after_four_attempts(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.GET, failing(grpc.StatusCode.UNAVAILABLE))
    with pytest.raises(errors.Unavailable):
        client.resources.get("Clusters.omni.sidero.dev", "c1")
    assert len(scripted.asked) == 4


def test_a_read_that_failed_for_another_reason_is_not_tried_again(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.GET, failing(grpc.StatusCode.UNKNOWN))
    with pytest.raises(errors.Unknown):
        client.resources.get("Clusters.omni.sidero.dev", "c1")
    assert len(scripted.asked) == 1


WRITES = {
    rpcs.CREATE: lambda client: client.resources.create("T", "a", {}),
    rpcs.UPDATE: lambda client: client.resources.update(
        {"metadata": {"type": "T", "id": "a"}, "spec": {}}, version=None
    ),
    rpcs.TEARDOWN: lambda client: client.resources.teardown("T", "a"),
    rpcs.DELETE: lambda client: client.resources.delete("T", "a"),
    rpcs.CREATE_JOIN_TOKEN: lambda client: client.management.create_join_token("t"),
    rpcs.REBOOT: lambda client: client.machines.reboot("n"),
    rpcs.KUBECONFIG: lambda client: client.management.kubeconfig("c1"),
}


@pytest.mark.parametrize("rpc", WRITES, ids=lambda rpc: rpc.name)
def test_what_changes_something_is_asked_once(client: OmniClient, scripted: ScriptedOmni, rpc: Any) -> None:
    scripted.answer(rpc, failing(grpc.StatusCode.UNAVAILABLE))
    with pytest.raises(errors.Unavailable) as failed:
        WRITES[rpc](client)
    assert len(scripted.calls(rpc)) == 1
    assert failed.value.method == rpc.name


def test_no_answer_in_time_is_a_deadline_exceeded(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.DELETE, lambda request, context: scripted.stopping.wait(10) and None)
    started = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded):
        client.resources.delete("Clusters.omni.sidero.dev", "c1", timeout=0.2)
    assert time.monotonic() - started < 5


def test_nobody_listening_is_unavailable(key: TestKey) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        config = OmniConfig(f"http://127.0.0.1:{held.getsockname()[1]}", key.text)
        with OmniClient(config) as client, pytest.raises(errors.Unavailable) as failed:
            client.ping(timeout=5)
    assert failed.value.method == "omni.resources.ResourceService/List"


def test_an_omni_that_comes_back_is_found_again_soon(key: TestKey, wait_until: Callable[..., Any]) -> None:
    def answers() -> bool:
        with contextlib.suppress(errors.Unavailable):
            client.ping()
            return True
        return False

    with serving() as omni:
        client = OmniClient(OmniConfig(f"http://127.0.0.1:{omni.port}", key.text))
        assert answers()
    assert not answers()
    with client, serving(port=omni.port):
        wait_until(answers, what="an answer after the restart")


def test_an_answer_of_many_megabytes_arrives(client: OmniClient, scripted: ScriptedOmni) -> None:
    body = json.dumps({"metadata": {}, "spec": {"data": "x" * (8 << 20)}})
    scripted.answer(rpcs.GET, pb.GetResponse(body=body))
    assert len(client.resources.get("ConfigPatches.omni.sidero.dev", "p")["spec"]["data"]) == 8 << 20


def test_an_answer_above_the_limit_is_refused(scripted: ScriptedOmni, key: TestKey) -> None:
    scripted.answer(rpcs.GET, pb.GetResponse(body=json.dumps({"x": "y" * 2000})))
    config = OmniConfig(f"http://127.0.0.1:{scripted.port}", key.text, max_message_bytes=1000)
    with OmniClient(config) as client, pytest.raises(errors.ResourceExhausted):
        client.resources.get("T", "a")


def test_an_answer_that_is_not_json_is_told(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.GET, pb.GetResponse(body="<html>"))
    with pytest.raises(errors.Unknown, match="not JSON"):
        client.resources.get("T", "a")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.resources.get("T", "lone \ud800"),
        lambda client: client.resources.create("T", "a", {"x": "\ud800"}),
        lambda client: client.resources.create("T", "a", {"x": object()}),
        lambda client: client.resources.list("T", limit=1 << 40),
        lambda client: client.resources.update(
            {"metadata": {"type": "T", "id": "a", "created": "yesterday"}, "spec": {}}, version=1
        ),
        lambda client: client.resources.list("T", selectors=["name = ünïcode"]),
        lambda client: client.management.kubeconfig("two\nlines"),
        lambda client: client.machines.reboot("n", mode="GENTLY"),
        lambda client: client.management.read_audit_log(order_by="MOOD"),
    ],
)
def test_what_cannot_be_written_down_is_an_invalid_argument_and_not_sent(
    client: OmniClient, scripted: ScriptedOmni, call: Callable[[OmniClient], Any]
) -> None:
    with pytest.raises(errors.InvalidArgument):
        call(client)
    assert scripted.asked == []


def test_the_server_may_say_when_to_come_back(client: OmniClient, scripted: ScriptedOmni) -> None:
    def busy(request: Any, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata([("retry-after", "7")])
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")

    scripted.answer(rpcs.CREATE, busy)
    with pytest.raises(errors.ResourceExhausted) as failed:
        client.resources.create("T", "a", {})
    assert failed.value.retry_after == 7.0


def test_a_stale_version_and_remaining_finalizers_have_names(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.UPDATE, failing(grpc.StatusCode.ALREADY_EXISTS))
    scripted.answer(rpcs.DELETE, failing(grpc.StatusCode.FAILED_PRECONDITION))
    with pytest.raises(errors.StaleVersion):
        client.resources.update({"metadata": {"type": "T", "id": "a"}, "spec": {}}, version=1)
    with pytest.raises(errors.FinalizersRemain):
        client.resources.delete("T", "a")


def test_closing_ends_a_call_under_way_and_a_later_one_opens_anew(client: OmniClient, scripted: ScriptedOmni) -> None:
    reached = threading.Event()

    def hang(request: Any, context: grpc.ServicerContext) -> None:
        reached.set()
        scripted.stopping.wait(10)

    def close_when_reached() -> None:
        reached.wait(10)
        client.close()

    scripted.answer(rpcs.TEARDOWN, hang)
    closer = threading.Thread(target=close_when_reached)
    closer.start()
    with pytest.raises(errors.Cancelled):
        client.resources.teardown("T", "a")
    closer.join()
    client.ping()


def test_many_threads_share_one_client_and_one_connection(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.GET, OBJECT)
    answers: list[int] = []

    def read() -> None:
        answers.extend(client.resources.get("T", "a")["metadata"]["version"] for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [3] * 160
    assert len({asked.peer for asked in scripted.asked}) == 1


def test_no_secret_is_logged(
    client: OmniClient, scripted: ScriptedOmni, key: TestKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.answer(rpcs.GET, failing(grpc.StatusCode.NOT_FOUND))
    with pytest.raises(errors.NotFound) as failed:
        client.resources.get("T", "a")
    for text in (caplog.text, str(failed.value), repr(failed.value), repr(client)):
        assert key.text[:40] not in text and "PRIVATE KEY" not in text


def test_requests_travel_compressed(key: TestKey) -> None:
    """Seen from outside: a proxy counts the bytes of a request that compresses well."""
    with serving() as omni, CountingProxy(omni.port) as proxy:
        with OmniClient(OmniConfig(f"http://127.0.0.1:{proxy.port}", key.text)) as client:
            client.resources.create("ConfigPatches.omni.sidero.dev", "p", {"data": "a: b\n" * 100_000})
        assert len(omni.asked[0].request.resource.spec) > 500_000
        assert proxy.sent < 50_000
