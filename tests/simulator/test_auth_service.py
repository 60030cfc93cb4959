"""AuthService: keys that people register and have to confirm."""

from __future__ import annotations

import grpc
import pytest

from omni_gateway.simulator.identity import accounts, keys, users
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import auth_pb2 as pb
from omni_gateway.stubs import auth_pb2_grpc as pb_grpc
from tests.simulator.caller import Caller, refused, unauthenticated


@pytest.fixture(scope="module")
def auth(channel: grpc.Channel) -> pb_grpc.AuthServiceStub:
    return pb_grpc.AuthServiceStub(channel)


def register(auth: pb_grpc.AuthServiceStub, email: str, public: str) -> str:
    request = pb.RegisterPublicKeyRequest(
        public_key=pb.PublicKey(pgp_data=public.encode()), identity=pb.Identity(email=email), role="Reader"
    )
    return auth.RegisterPublicKey(request, timeout=10).public_key_id


def revoke(auth: pb_grpc.AuthServiceStub, caller: Caller, id_: str) -> None:
    metadata = caller.metadata("RevokePublicKey", service="auth.AuthService")
    auth.RevokePublicKey(pb.RevokePublicKeyRequest(public_key_id=id_), metadata=metadata, timeout=10)


def test_a_registered_key_signs_nothing_until_it_is_confirmed(
    auth: pb_grpc.AuthServiceStub, channel: grpc.Channel, store: Store
) -> None:
    users.create_user(store, "ann@example.org", "Admin")
    pair = keys.generate("ann", "ann@example.org")
    id_ = register(auth, "ann@example.org", pair.public)
    ann = Caller(channel, pair.encoded)
    with unauthenticated():
        ann.list("Clusters")

    store.modify("default", accounts.PUBLIC_KEY, id_, lambda res: res.spec.update(confirmed=True))

    auth.AwaitPublicKeyConfirmation(pb.AwaitPublicKeyConfirmationRequest(public_key_id=id_), timeout=10)
    assert ann.get("CurrentUsers", "current", namespace="virtual")["spec"]["role"] == "Reader"


def test_a_key_for_an_unknown_address_is_accepted_and_forgotten(auth: pb_grpc.AuthServiceStub, store: Store) -> None:
    id_ = register(auth, "nobody@example.org", keys.generate("nobody", "nobody@example.org").public)

    assert store.find("default", accounts.PUBLIC_KEY, id_) is None


def test_waiting_for_a_confirmation_lasts_as_long_as_the_caller(auth: pb_grpc.AuthServiceStub) -> None:
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        auth.AwaitPublicKeyConfirmation(pb.AwaitPublicKeyConfirmationRequest(public_key_id="x"), timeout=0.3)


def test_a_revoked_key_is_out(auth: pb_grpc.AuthServiceStub, call_as) -> None:
    leaver = call_as("Reader")

    revoke(auth, leaver, leaver.signer.fingerprint)

    with unauthenticated():
        leaver.list("Clusters")
