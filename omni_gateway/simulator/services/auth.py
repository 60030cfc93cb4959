"""``auth.AuthService``: the keys of users, confirmed in a browser at a real Omni, and never confirmed here."""

from __future__ import annotations

import base64
import time

import grpc
from google.protobuf import empty_pb2

from omni_gateway.simulator.errors import InvalidArgument, PermissionDenied, Unknown
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.identity.accounts import IDENTITY, PUBLIC_KEY, USER_ID
from omni_gateway.simulator.identity.keys import read_public_key
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.wire.codec import timestamp
from omni_gateway.stubs import auth_pb2 as pb
from omni_gateway.stubs import auth_pb2_grpc as pb_grpc

Context = grpc.ServicerContext
_AWAIT_SECONDS = 300.0
_POLL_SECONDS = 0.2
_PGP = 1


class AuthService(pb_grpc.AuthServiceServicer):
    """Registers keys unconfirmed; a key that is not confirmed signs nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def RegisterPublicKey(self, request: pb.RegisterPublicKeyRequest, context: Context) -> pb.RegisterPublicKeyResponse:
        """Store a key for a user who has yet to confirm it; an unknown address is not given away."""
        if not request.public_key.pgp_data:
            raise InvalidArgument("the request has no public key")
        key = read_public_key(request.public_key.pgp_data.decode("utf-8", "replace"))
        self._register(request, key.fingerprint, key.armored, timestamp(key.expires))
        return pb.RegisterPublicKeyResponse(public_key_id=key.fingerprint)

    def AwaitPublicKeyConfirmation(
        self, request: pb.AwaitPublicKeyConfirmationRequest, context: Context
    ) -> empty_pb2.Empty:
        """Wait until a key is confirmed, for five minutes at most."""
        deadline = time.monotonic() + _AWAIT_SECONDS
        while context.is_active() and time.monotonic() < deadline:
            key = self._store.peek("default", PUBLIC_KEY, request.public_key_id)
            if key is not None and key.spec.get("confirmed"):
                return empty_pb2.Empty()
            time.sleep(_POLL_SECONDS)
        raise Unknown("the key was not confirmed in time")

    def ConfirmPublicKey(self, request: pb.ConfirmPublicKeyRequest, context: Context) -> empty_pb2.Empty:
        """Refuse: a key is confirmed by a user whom an identity provider has authenticated, and there is none here."""
        raise Unknown("no token of an identity provider came with the call")

    def RevokePublicKey(self, request: pb.RevokePublicKeyRequest, context: Context) -> empty_pb2.Empty:
        """Remove one of the caller's own keys."""
        who = access.require_signed()
        with self._store.lock:
            key = self._store.peek("default", PUBLIC_KEY, request.public_key_id)
            if key is None:
                raise Unknown("there is no such key")
            if key.labels.get(USER_ID) != who.user_id:
                raise PermissionDenied("the key is somebody else's")
            self._store.destroy(*key.key, owner=key.owner)
        return empty_pb2.Empty()

    def _register(self, request: pb.RegisterPublicKeyRequest, fingerprint: str, armored: str, expiration: str) -> None:
        with self._store.lock:
            identity = self._store.peek("default", IDENTITY, request.identity.email.lower())
            if identity is None or self._store.peek("default", PUBLIC_KEY, fingerprint) is not None:
                return
            spec = {
                "public_key": base64.b64encode(armored.encode()).decode(),
                "expiration": expiration,
                "identity": {"email": identity.id},
                "role": request.role,
                "type": _PGP,
            }
            labels = {USER_ID: identity.spec["user_id"]}
            self._store.create(Resource("default", PUBLIC_KEY, fingerprint, spec, labels))
