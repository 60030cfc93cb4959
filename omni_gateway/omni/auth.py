"""Public keys of users: register, wait for the owner's confirmation, revoke."""

from __future__ import annotations

from dataclasses import dataclass, field

from omni_gateway.omni import rpcs
from omni_gateway.omni.calls import Calls
from omni_gateway.stubs import auth_pb2 as pb


@dataclass(frozen=True, slots=True)
class Registration:
    """An unconfirmed key: its id, and the URL of the page where its owner logs in (a secret until then)."""

    public_key_id: str
    login_url: str = field(repr=False)


class AuthClient:
    """``auth.AuthService``; only ``revoke_public_key`` is a signed call."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def register_public_key(
        self, armored_public_key: str, email: str, *, role: str = "", skip_user_role: bool = False
    ) -> Registration:
        """Register an OpenPGP key (valid for at most 8 hours) for a user; Omni reports no error for an unknown user."""
        answer = self._calls.unary(
            rpcs.REGISTER_PUBLIC_KEY,
            lambda: pb.RegisterPublicKeyRequest(
                public_key=pb.PublicKey(pgp_data=armored_public_key.encode()),
                identity=pb.Identity(email=email),
                role=role,
                skip_user_role=skip_user_role,
            ),
        )
        return Registration(answer.public_key_id, answer.login_url)

    def await_public_key_confirmation(self, public_key_id: str, *, timeout: float = 300.0) -> None:
        """Wait until the owner has confirmed the key; ``DeadlineExceeded`` after ``timeout`` seconds (Omni: 300)."""
        self._calls.unary(
            rpcs.AWAIT_PUBLIC_KEY_CONFIRMATION,
            lambda: pb.AwaitPublicKeyConfirmationRequest(public_key_id=public_key_id),
            timeout=timeout,
        )

    def confirm_public_key(self, public_key_id: str, *, authorization: str = "") -> None:
        """Confirm a key as its owner, with ``authorization`` from the identity provider; ``Unknown`` without one."""
        self._calls.unary(
            rpcs.CONFIRM_PUBLIC_KEY,
            lambda: pb.ConfirmPublicKeyRequest(public_key_id=public_key_id),
            metadata=(("authorization", authorization),) if authorization else (),
        )

    def revoke_public_key(self, public_key_id: str) -> None:
        """Revoke a key of one's own; ``PermissionDenied`` for another's, ``Unknown`` for one that is not there."""
        self._calls.unary(rpcs.REVOKE_PUBLIC_KEY, lambda: pb.RevokePublicKeyRequest(public_key_id=public_key_id))
