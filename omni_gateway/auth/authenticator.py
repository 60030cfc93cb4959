"""The ways in, asked in turn: the first that recognises a credential decides on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from omni_gateway.auth.principal import MethodName, Principal

LONGEST_CREDENTIAL = 32 * 1024
"""Bytes; a service account's key is about 2 KiB."""


class Rejected(Exception):
    """A credential proves nothing; the text may be shown to the caller and holds nothing of the credential."""


class Unverifiable(Rejected):
    """Nobody could look at the credential just now, which is not the caller's fault: no failed login."""


class Method(Protocol):
    """One way in."""

    name: MethodName

    def recognises(self, credential: str) -> bool:
        """Tell by its form alone whether a credential is meant for this way in; quick, and never raises."""
        ...

    def authenticate(self, credential: str) -> Principal:
        """Return whom the credential proves; :class:`Rejected` when it proves nobody."""
        ...


class Authenticator:
    """Tries each credential with the one method that it is meant for: a failure is never given to the next.

    ``anonymous`` is who comes without a credential, where the operator has switched authentication off.
    """

    def __init__(self, methods: Sequence[Method], anonymous: Principal | None = None) -> None:
        self.methods = tuple(methods)
        self.anonymous = anonymous

    def authenticate(self, credential: str) -> Principal:
        """Return who holds a credential; :class:`Rejected` when nobody does, or no method is meant for it."""
        if len(credential) <= LONGEST_CREDENTIAL:
            for method in self.methods:
                if method.recognises(credential):
                    return method.authenticate(credential)
        raise Rejected("The credential is of no kind that is taken here.")
