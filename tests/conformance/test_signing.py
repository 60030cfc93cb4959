"""Signatures: signing.md, machine-auth-detail §4.1 and §8."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pysequoia
import pytest

from omni_gateway.omni import key_pairs
from omni_gateway.stubs import auth_pb2, auth_pb2_grpc, machine_pb2_grpc, management_pb2
from omni_gateway.stubs import resources_pb2 as pb
from tests.conformance.outcomes import (
    DENIED,
    INVALID,
    MISSING,
    OK,
    UNAUTHENTICATED,
    UNKNOWN,
    cases,
    expect,
    outcome,
    same,
)
from tests.conformance.world import World
from tests.simulator.caller import Caller, Metadata, Signer
from tests.simulator.service_calls import EMPTY, management

METHOD = "/omni.resources.ResourceService/Get"
RUNTIME = ("runtime", "Omni")


def _now(seconds: float = 0) -> str:
    return str(int(time.time() + seconds))


def _payload(method: str = METHOD, **headers: Any) -> str:
    return json.dumps({"headers": {"x-sidero-timestamp": [_now()], "runtime": ["Omni"], **headers}, "method": method})


def _sent(*more: tuple[str, str]) -> Metadata:
    return [RUNTIME, ("x-sidero-timestamp", _now()), *more]


def _get(omni: World, metadata: Metadata) -> Callable[[], str]:
    """Ask who the caller is, with metadata that the case has put together."""
    request = pb.GetRequest(namespace="virtual", type="CurrentUsers.omni.sidero.dev", id="current")
    return lambda: str(omni.admin.stub.Get(request, metadata=metadata, timeout=20).body)


def _signer(omni: World) -> Signer:
    signer = omni.admin.signer
    assert signer is not None
    return signer


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    cases(
        "signing.md clock",
        [
            ("290 s early", -290, OK),
            ("290 s late", 290, OK),
            ("310 s early (stale)", -310, UNAUTHENTICATED),
            ("310 s late", 310, UNAUTHENTICATED),
        ],
    ),
)
def test_a_clock_may_be_five_minutes_off(omni: World, seconds: int, wanted: str) -> None:
    expect(wanted, _get(omni, _signer(omni).metadata(METHOD, [RUNTIME], at=time.time() + seconds)))


PAYLOADS: list[tuple[str, Callable[[], str], str]] = [
    ("of this call", lambda: _payload(), OK),
    ("null for a key that is not sent", lambda: _payload(cluster=None), OK),
    ("keys that nobody asks for", lambda: _payload(colour=["red"]), OK),
    (
        "white space and another order",
        lambda: f'{{ "method" : "{METHOD}", "headers": {{"runtime": ["Omni"], "x-sidero-timestamp": ["{_now()}"]}} }}',
        OK,
    ),
    ("for another method", lambda: _payload("/omni.resources.ResourceService/List"), UNAUTHENTICATED),
    ("without the method's slash", lambda: _payload(METHOD[1:]), UNAUTHENTICATED),
    ("a listed key that was not sent", lambda: _payload(cluster=["c1"]), UNAUTHENTICATED),
    ("an empty list", lambda: _payload(cluster=[]), UNAUTHENTICATED),
    ("another value of a listed key", lambda: _payload(runtime=["Talos"]), UNAUTHENTICATED),
    ("a listed key missing", lambda: _payload(runtime=None), UNAUTHENTICATED),
    ("no timestamp", lambda: _payload(**{"x-sidero-timestamp": None}), UNAUTHENTICATED),
    ("another timestamp", lambda: _payload(**{"x-sidero-timestamp": ["1"]}), UNAUTHENTICATED),
    ("no JSON", lambda: "no JSON", UNAUTHENTICATED),
    ("a JSON list", lambda: "[]", UNAUTHENTICATED),
    ("a list as the headers", lambda: json.dumps({"headers": [], "method": METHOD}), UNAUTHENTICATED),
]


@pytest.mark.parametrize(("payload", "wanted"), cases("signing.md, machine-auth-detail 4.1 payload", PAYLOADS))
def test_the_payload_tells_of_the_call(omni: World, payload: Callable[[], str], wanted: str) -> None:
    text = payload()
    at = json.loads(text)["headers"]["x-sidero-timestamp"] if wanted == OK else [_now()]

    expect(wanted, _get(omni, [RUNTIME, ("x-sidero-timestamp", at[0]), *_signer(omni).signature(text)]))


@pytest.mark.parametrize(
    ("key", "wanted"),
    cases(
        "signing.md metadata sent but not signed",
        [
            (key, key, UNAUTHENTICATED)
            for key in ("selectors", "context", "cluster", "namespace", "uid", "authorization")
        ]
        + [(key, key, OK) for key in ("fieldselectors", "foo")],
    ),
)
def test_what_is_on_the_list_must_be_signed(omni: World, key: str, wanted: str) -> None:
    expect(wanted, _get(omni, _sent((key, "x"), *_signer(omni).signature(_payload()))))


@pytest.mark.parametrize(
    "key", cases("signing.md metadata sent and signed", [(key, key) for key in ("selectors", "namespace", "uid")])
)
def test_what_is_on_the_list_may_be_sent_when_it_is_signed(omni: World, key: str) -> None:
    expect(OK, _get(omni, _signer(omni).metadata(METHOD, [RUNTIME, (key, "x")])))


HEADERS: list[tuple[str, dict[str, str], str]] = [
    ("any identity", {"identity": "somebody-else"}, OK),
    ("identity of two words", {"identity": "two words"}, UNAUTHENTICATED),
    ("another version word", {"version": "siderov2"}, UNAUTHENTICATED),
    ("no such key", {"fingerprint": "0" * 40}, UNAUTHENTICATED),
    ("fingerprint in upper case", {"fingerprint": "{upper}"}, UNAUTHENTICATED),
    ("bad base64", {"signature": "not*base64"}, UNAUTHENTICATED),
    ("no signature's bytes", {"signature": "AAAA"}, UNAUTHENTICATED),
    ("empty", {"signature": ""}, UNAUTHENTICATED),
]


@pytest.mark.parametrize(("changed", "wanted"), cases("signing.md, machine-auth-detail 4.1 header", HEADERS))
def test_the_header_has_four_fields(omni: World, changed: dict[str, str], wanted: str) -> None:
    signer = _signer(omni)
    filled = {key: value.format(upper=signer.fingerprint.upper()) for key, value in changed.items()}

    expect(wanted, _get(omni, _sent(*signer.signature(_payload(), **filled))))


def _signed(omni: World, payload: str) -> tuple[str, bytes]:
    (_, _), (_, header) = _signer(omni).signature(payload)
    head, _, encoded = header.rpartition(" ")
    return head, base64.b64decode(encoded)


def test_signing_md_one_byte_of_the_signature_changed(omni: World) -> None:
    payload = _payload()
    head, raw = _signed(omni, payload)
    bad = base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()

    expect(UNAUTHENTICATED, _get(omni, _sent(("x-sidero-payload", payload), ("x-sidero-signature", f"{head} {bad}"))))


def test_signing_md_the_payload_altered_after_signing(omni: World) -> None:
    (key, payload), header = _signer(omni).signature(_payload())

    expect(UNAUTHENTICATED, _get(omni, _sent((key, payload + " "), header)))


def test_machine_auth_detail_4_1_an_armored_signature_fails(omni: World) -> None:
    payload = _payload()
    secret = json.loads(base64.b64decode(omni.server.admin_key))["pgp_key"]
    tsk = pysequoia.Tsk.from_bytes(secret.encode())
    armored = pysequoia.sign(tsk.signer(), payload.encode(), mode=pysequoia.SignatureMode.DETACHED, armor=True)
    head, _ = _signed(omni, payload)
    encoded = base64.b64encode(armored if isinstance(armored, bytes) else armored.encode()).decode()

    expect(
        UNAUTHENTICATED, _get(omni, _sent(("x-sidero-payload", payload), ("x-sidero-signature", f"{head} {encoded}")))
    )


@pytest.mark.parametrize(
    "dropped",
    cases("machine-auth-detail 8 dropped", [(k, f"x-sidero-{k}") for k in ("timestamp", "payload", "signature")]),
)
def test_all_three_entries_are_needed(omni: World, dropped: str) -> None:
    whole = _signer(omni).metadata(METHOD, [RUNTIME])

    expect(UNAUTHENTICATED, _get(omni, [entry for entry in whole if entry[0] != dropped]))


def test_signing_md_no_signature(omni: World) -> None:
    expect(UNAUTHENTICATED, _get(omni, [RUNTIME]))


def test_machine_auth_detail_4_1_the_same_metadata_may_be_sent_twice(omni: World) -> None:
    metadata = _signer(omni).metadata(METHOD, [RUNTIME])

    same([OK, OK], [outcome(_get(omni, metadata)), outcome(_get(omni, metadata))])


def test_signing_md_a_key_that_is_not_registered(omni: World) -> None:
    stranger = Caller(omni.server.channel, key_pairs.make("stranger", "stranger@example.org").value)

    expect(UNAUTHENTICATED, lambda: stranger.list("Clusters"))


def test_signing_md_another_accounts_key_under_this_name(omni: World) -> None:
    """The caller is who the key belongs to, whatever the identity says."""
    reader = omni.by("Reader").signer
    assert reader is not None

    body = json.loads(_get(omni, _sent(*reader.signature(_payload(), identity=_signer(omni).name)))())

    same("Reader", body["spec"]["role"])


def test_machine_auth_detail_4_2_an_expired_key(omni: World) -> None:
    """A key is back-dated by 60 s (machine-auth-detail 4.1): one of 63 s has 3 s to live; its last words are kept."""
    signer = Signer(omni.server.new_account("Reader", timedelta(seconds=63))[1])
    call = _get(omni, signer.metadata(METHOD, [RUNTIME]))
    expect(OK, call)

    omni.until(lambda: outcome(call) == UNAUTHENTICATED, "the key expires", 15)


def test_machine_auth_detail_4_2_a_destroyed_account_is_out_at_once(omni: World) -> None:
    name, key = omni.server.new_account("Reader")
    caller = Caller(omni.server.channel, key)
    expect(OK, lambda: caller.list("Clusters"))

    management(omni.admin, "DestroyServiceAccount", management_pb2.DestroyServiceAccountRequest(name=name))

    expect(UNAUTHENTICATED, lambda: caller.list("Clusters"))


def test_cluster_side_1_2_a_bad_signature_comes_before_anything_else(omni: World) -> None:
    request = pb.CreateRequest()
    expect(UNAUTHENTICATED, lambda: omni.admin.stub.Create(request, metadata=[RUNTIME], timeout=20))


@pytest.mark.parametrize(
    "type_",
    cases("machine-auth-detail 4.1 a watch is signed", [("Clusters", "Clusters"), ("AuthConfigs", "AuthConfigs")]),
)
def test_a_watch_needs_a_signature(omni: World, type_: str) -> None:
    def watch() -> None:
        with omni.by("anonymous").watch(type_) as events:
            events.next()

    expect(UNAUTHENTICATED, watch)


UNSIGNED: list[tuple[str, Callable[[World], object], str]] = [
    (
        "RegisterPublicKey without data",
        lambda omni: _auth(omni).RegisterPublicKey(auth_pb2.RegisterPublicKeyRequest(), timeout=20),
        INVALID,
    ),
    (
        "ConfirmPublicKey without an identity provider's token",
        lambda omni: _auth(omni).ConfirmPublicKey(auth_pb2.ConfirmPublicKeyRequest(public_key_id="0" * 40), timeout=20),
        UNKNOWN,
    ),
    (
        "RevokePublicKey",
        lambda omni: _auth(omni).RevokePublicKey(auth_pb2.RevokePublicKeyRequest(public_key_id="0" * 40), timeout=20),
        UNAUTHENTICATED,
    ),
    (
        "ListServiceAccounts",
        lambda omni: management(omni.by("anonymous"), "ListServiceAccounts", EMPTY),
        UNAUTHENTICATED,
    ),
    ("Omniconfig", lambda omni: management(omni.by("anonymous"), "Omniconfig", EMPTY), UNAUTHENTICATED),
]


def _auth(omni: World) -> Any:
    return auth_pb2_grpc.AuthServiceStub(omni.server.channel)


@pytest.mark.parametrize(("call", "wanted"), cases("signing.md, machine-auth-detail 4.7 unsigned", UNSIGNED))
def test_three_calls_ask_for_no_signature(omni: World, call: Callable[[World], object], wanted: str) -> None:
    expect(wanted, lambda: call(omni))


def test_machine_auth_detail_4_7_a_missing_key_cannot_be_revoked(omni: World) -> None:
    metadata = _signer(omni).metadata("/auth.AuthService/RevokePublicKey", [])
    request = auth_pb2.RevokePublicKeyRequest(public_key_id="0" * 40)

    expect(UNKNOWN, lambda: _auth(omni).RevokePublicKey(request, metadata=metadata, timeout=20))


def test_machine_auth_detail_4_7_somebody_elses_key_cannot_be_revoked(omni: World) -> None:
    reader = omni.by("Reader").signer
    assert reader is not None
    metadata = _signer(omni).metadata("/auth.AuthService/RevokePublicKey", [])
    request = auth_pb2.RevokePublicKeyRequest(public_key_id=reader.fingerprint)

    expect(DENIED, lambda: _auth(omni).RevokePublicKey(request, metadata=metadata, timeout=20))


@pytest.mark.parametrize(
    "signed",
    cases("machine-auth-detail 0 item 3 a Talos call to an unknown node", [("signed", True), ("unsigned", False)]),
)
def test_a_talos_calls_target_is_resolved_before_the_signature_counts(omni: World, signed: bool) -> None:
    sent = [("runtime", "Talos"), ("node", omni.name())]
    metadata = _signer(omni).metadata("/machine.MachineService/Version", sent) if signed else sent
    stub = machine_pb2_grpc.MachineServiceStub(omni.server.channel)

    expect(MISSING, lambda: stub.Version(EMPTY, metadata=metadata, timeout=20))
