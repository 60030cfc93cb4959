"""Who gets in: signatures as Omni wants them, and every way to get them wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import grpc
import pysequoia
import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.identity import accounts, keys
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import resources_pb2 as pb
from tests.simulator.caller import Caller, Metadata, Signer, denied, missing, unauthenticated

METHOD = "/omni.resources.ResourceService/Get"


@pytest.fixture
def signer(admin: Caller) -> Signer:
    assert admin.signer is not None
    return admin.signer


@pytest.fixture
def send(admin: Caller) -> Callable[[Metadata], str]:
    """Read the caller's own identity with metadata that the test has put together."""
    request = pb.GetRequest(namespace="virtual", type="CurrentUsers.omni.sidero.dev", id="current")
    return lambda metadata: admin.stub.Get(request, metadata=metadata, timeout=10).body


def payload(method: str = METHOD, **headers: object) -> str:
    return json.dumps({"headers": {"x-sidero-timestamp": [now()], "runtime": ["Omni"], **headers}, "method": method})


def now() -> str:
    return str(int(time.time()))


def sent(*more: tuple[str, str]) -> Metadata:
    return [("runtime", "Omni"), ("x-sidero-timestamp", now()), *more]


def test_a_signed_call_is_its_account(send: Callable[[Metadata], str], signer: Signer) -> None:
    body = json.loads(send(signer.metadata(METHOD, [("runtime", "Omni")])))

    assert body["spec"]["identity"] == "automation@serviceaccount.omni.sidero.dev"
    assert body["spec"]["role"] == "Admin"


@pytest.mark.parametrize("seconds", [-290, 290])
def test_a_clock_may_be_almost_five_minutes_off(send: Callable[[Metadata], str], signer: Signer, seconds: int) -> None:
    assert send(signer.metadata(METHOD, [("runtime", "Omni")], at=time.time() + seconds))


@pytest.mark.parametrize("seconds", [-310, 310])
def test_a_clock_that_is_further_off_is_refused(send: Callable[[Metadata], str], signer: Signer, seconds: int) -> None:
    with unauthenticated():
        send(signer.metadata(METHOD, [("runtime", "Omni")], at=time.time() + seconds))


def test_any_text_will_do_as_the_identity(send: Callable[[Metadata], str], signer: Signer) -> None:
    assert send(sent(*signer.signature(payload(), identity="somebody-else")))


@pytest.mark.parametrize(
    "headers", [{"cluster": None}, {"cluster": None, "colour": ["red"]}], ids=["null", "more than is asked for"]
)
def test_what_the_payload_may_also_say(
    send: Callable[[Metadata], str], signer: Signer, headers: dict[str, object]
) -> None:
    assert send(sent(*signer.signature(payload(**headers))))


def test_metadata_that_is_not_on_the_list_need_not_be_signed(send: Callable[[Metadata], str], signer: Signer) -> None:
    assert send([*sent(("colour", "red"), ("fieldselectors", "a=b")), *signer.signature(payload())])


@pytest.mark.parametrize(
    "bad",
    [
        payload("/omni.resources.ResourceService/List"),
        payload(cluster=["c1"]),
        payload(cluster=[]),
        payload(runtime=["Talos"]),
        payload(runtime=None),
        payload(**{"x-sidero-timestamp": None}),
        payload(**{"x-sidero-timestamp": ["1"]}),
        "no JSON",
        "[]",
        '{"headers": []}',
    ],
)
def test_a_payload_that_does_not_tell_of_this_call_is_refused(
    send: Callable[[Metadata], str], signer: Signer, bad: str
) -> None:
    with unauthenticated():
        send(sent(*signer.signature(bad)))


@pytest.mark.parametrize("key", ["cluster", "context", "selectors", "namespace", "uid", "authorization"])
def test_metadata_on_the_list_must_be_signed(send: Callable[[Metadata], str], signer: Signer, key: str) -> None:
    with unauthenticated():
        send(sent((key, "x"), *signer.signature(payload())))


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "siderov2"},
        {"fingerprint": "0" * 40},
        {"signature": "AAAA"},
        {"signature": "not base64"},
        {"signature": ""},
        {"identity": "two words"},
    ],
)
def test_a_bad_signature_is_refused(send: Callable[[Metadata], str], signer: Signer, changed: dict[str, str]) -> None:
    with unauthenticated():
        send(sent(*signer.signature(payload(), **changed)))


def test_the_fingerprint_must_be_in_lower_case(send: Callable[[Metadata], str], signer: Signer) -> None:
    with unauthenticated():
        send(sent(*signer.signature(payload(), fingerprint=signer.fingerprint.upper())))


def test_the_payload_must_be_what_was_signed(send: Callable[[Metadata], str], signer: Signer) -> None:
    (_, text), signature = signer.signature(payload())
    with unauthenticated():
        send(sent(("x-sidero-payload", text + " "), signature))


@pytest.mark.parametrize("dropped", ["x-sidero-timestamp", "x-sidero-payload", "x-sidero-signature"])
def test_all_three_entries_are_needed(send: Callable[[Metadata], str], signer: Signer, dropped: str) -> None:
    whole = signer.metadata(METHOD, [("runtime", "Omni")])
    with unauthenticated():
        send([(key, value) for key, value in whole if key != dropped])


def test_no_signature_at_all_is_refused(send: Callable[[Metadata], str]) -> None:
    with unauthenticated():
        send([("runtime", "Omni")])


def test_a_key_that_nobody_registered_is_refused(channel: grpc.Channel) -> None:
    stranger = Caller(channel, keys.generate("stranger", "stranger@example.org").encoded)
    with unauthenticated():
        stranger.list("Clusters")


def test_an_expired_key_is_refused(channel: grpc.Channel, store: Store) -> None:
    pair = keys.generate("brief", "brief@example.org", timedelta(hours=1))
    fingerprint = accounts.create_service_account(store, "brief", "Reader", pair.public)
    past = "2026-01-01T00:00:00Z"
    store.modify("default", accounts.PUBLIC_KEY, fingerprint, lambda res: res.spec.update(expiration=past))
    with unauthenticated():
        Caller(channel, pair.encoded).list("Clusters")


def test_a_removed_account_is_out_at_once(channel: grpc.Channel, store: Store) -> None:
    pair = keys.generate("leaver", "leaver@example.org")
    accounts.create_service_account(store, "leaver", "Reader", pair.public)
    leaver = Caller(channel, pair.encoded)
    leaver.list("Clusters")

    accounts.destroy_service_account(store, "leaver")

    with unauthenticated():
        leaver.list("Clusters")


def test_a_key_never_gives_more_than_its_user_has(channel: grpc.Channel, store: Store) -> None:
    pair = keys.generate("sinking", "sinking@example.org")
    accounts.create_service_account(store, "sinking", "Admin", pair.public)
    user_id = store.get("default", accounts.IDENTITY, accounts.full_id("sinking")).spec["user_id"]

    store.modify("default", accounts.USER, user_id, lambda res: res.spec.update(role="Reader"))

    with denied():
        Caller(channel, pair.encoded).create("Clusters", "c")


def test_an_account_keeps_its_place_by_its_old_key_after_a_renewal(channel: grpc.Channel, store: Store) -> None:
    old, new = (keys.generate("renewed", "renewed@example.org") for _ in range(2))
    accounts.create_service_account(store, "renewed", "Reader", old.public)

    accounts.renew_service_account(store, "renewed", new.public)

    assert Caller(channel, old.encoded).list("Clusters")[1] == Caller(channel, new.encoded).list("Clusters")[1]


def test_anybody_may_read_how_to_log_in(anonymous: Caller) -> None:
    assert anonymous.get("AuthConfigs", "auth-config")["spec"]["oidc"]["enabled"] is True
    assert anonymous.ids("EulaAcceptances") == []
    with missing():
        anonymous.get("EulaAcceptances", "nobody")


def test_anybody_may_accept_the_licence_once(anonymous: Caller) -> None:
    anonymous.create("EulaAcceptances", "eula", {"accepted_by_name": "A", "accepted_by_email": "a@example.org"})

    assert anonymous.ids("EulaAcceptances") == ["eula"]


@pytest.mark.parametrize("verb", ["create", "teardown", "delete"])
def test_nobody_writes_without_a_signature(anonymous: Caller, verb: str) -> None:
    with unauthenticated():
        getattr(anonymous, verb)("Clusters", "c")


def test_a_watch_is_signed_too(anonymous: Caller) -> None:
    with unauthenticated(), anonymous.watch("AuthConfigs") as events:
        events.next()


def test_the_library_signs_with_a_subkey_and_is_known_by_its_primary_key(sim: RunningSimulator) -> None:
    signer = Signer(sim.key)
    cert = pysequoia.Cert.from_bytes(keys.public_half(sim.key)[1].encode())

    assert signer.fingerprint == cert.fingerprint
