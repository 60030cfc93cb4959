"""The authentication methods in order: the first that recognises a credential decides on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from omni_gateway.auth.principal import MethodName, Principal

LONGEST_CREDENTIAL = 32 * 1024
"""Bytes; a service account's key is about 2 KiB."""


class Rejected(Exception):
    """A credential is invalid; the text is for the caller and contains nothing of the credential."""


class Unverifiable(Rejected):
    """A credential cannot be verified at present (an issuer is unreachable); not counted as a failed login."""


class Method(Protocol):
    """One authentication method."""

    name: MethodName

    def recognises(self, credential: str) -> bool:
        """Return whether a credential is one for this method, by its form alone; does no I/O, never raises."""
        ...

    def authenticate(self, credential: str) -> Principal:
        """Return the credential's principal; raise :class:`Rejected` if it is invalid."""
        ...


class Authenticator:
    """Verifies a credential by the first method that recognises it; after a failure no other method is tried.

    ``anonymous`` is the principal of requests without a credential, if the operator has switched authentication off.
    """

    def __init__(self, methods: Sequence[Method], anonymous: Principal | None = None) -> None:
        self.methods = tuple(methods)
        self.anonymous = anonymous

    def authenticate(self, credential: str) -> Principal:
        """Return the credential's principal; raise :class:`Rejected` if it is invalid or no method recognises it."""
        if len(credential) <= LONGEST_CREDENTIAL:
            for method in self.methods:
                if method.recognises(credential):
                    return method.authenticate(credential)
        raise Rejected("The credential is of a kind that this gateway does not accept.")
