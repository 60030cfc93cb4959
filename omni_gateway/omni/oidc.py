"""Omni as the OpenID provider for kubectl of its clusters."""

from __future__ import annotations

from dataclasses import dataclass, field

from omni_gateway.omni import rpcs
from omni_gateway.omni.calls import Calls
from omni_gateway.stubs import oidc_pb2 as pb


@dataclass(frozen=True, slots=True)
class Authentication:
    """The continuation of a confirmed login: a URL, or a code that the user enters; both are secrets."""

    redirect_url: str = field(repr=False)
    auth_code: str = field(repr=False)


class OIDCClient:
    """``oidc.OIDCService``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def authenticate(self, auth_request_id: str) -> Authentication:
        """Confirm a pending login as the calling identity; ``PermissionDenied`` for an unknown one."""
        answer = self._calls.unary(rpcs.AUTHENTICATE, lambda: pb.AuthenticateRequest(auth_request_id=auth_request_id))
        return Authentication(answer.redirect_url, answer.auth_code)
