"""What one application shares among its plugins: the client, the bound adapters, the operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app

from omni_gateway.http.streaming import StreamLimiter
from omni_gateway.omni import OmniClient

if TYPE_CHECKING:
    from omni_gateway.sdk.adapter import ResourceAdapter
    from omni_gateway.sdk.operations import OperationKind
    from omni_gateway.sdk.plugin import ResourcePlugin

EXTENSION = "omni_gateway"


@dataclass
class Gateway:
    """The running gateway, one per application."""

    omni: OmniClient
    streams: StreamLimiter
    plugins: dict[str, ResourcePlugin] = field(default_factory=dict)
    operations: dict[str, OperationKind] = field(default_factory=dict)
    _adapters: dict[int, ResourceAdapter] = field(default_factory=dict)

    def bound(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return this application's copy of a plugin's adapter."""
        key = id(adapter)
        if key not in self._adapters:
            self._adapters[key] = adapter.bind(self.omni)
        return self._adapters[key]


def current_gateway() -> Gateway:
    """Return the gateway of the application that serves this request."""
    return cast(Gateway, current_app.extensions[EXTENSION])
