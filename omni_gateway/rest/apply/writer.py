"""For whom an apply writes: the caller of the request, or the gateway itself in a background task."""

from __future__ import annotations

from typing import Protocol

from omni_gateway.http.guard import check_role
from omni_gateway.omni import OmniClient
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.any_type.kinds import role_for
from omni_gateway.rest.gateway import Gateway


class Writer(Protocol):
    """Binds adapters to an identity, and checks what it may write."""

    @property
    def omni(self) -> OmniClient:
        """Return the client with the identity."""
        ...

    def bound(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return an adapter with the client, and with the clusters that may be written."""
        ...

    def check_role(self, type: str, verb: str) -> None:
        """Raise a 403 problem if the objects of a type may not be written."""
        ...


class CallerWriter:
    """Writes for the caller of the current request, with its role and clusters."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def omni(self) -> OmniClient:
        """Return the client of the request."""
        return self._gateway.omni

    def bound(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return an adapter with the caller's client and scope."""
        return self._gateway.bound(adapter)

    def check_role(self, type: str, verb: str) -> None:
        """Raise 401 or 403 unless the caller has the role of a verb on a type."""
        check_role(role_for(self._gateway, type, verb), authorized_by_omni=True)


class GatewayWriter:
    """Writes with the gateway's own Omni identity, outside of requests; Omni alone decides what that may write."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def omni(self) -> OmniClient:
        """Return the gateway's own client."""
        return self._gateway.own_omni

    def bound(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return an adapter with the gateway's own client, for all clusters."""
        return self._gateway.as_itself(adapter)

    def check_role(self, type: str, verb: str) -> None:
        """Do nothing: the gateway has no role."""
