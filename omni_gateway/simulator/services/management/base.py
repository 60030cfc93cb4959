"""The base of each group of calls: the store, and the cluster that a call is about."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from omni_gateway.simulator.services.resources import metadata_values
from omni_gateway.simulator.state.store import Store

Context = grpc.ServicerContext


class Calls:
    """A part of the management service.

    `break_glass`: whether configurations that bypass Omni are handed out, which is an option of Omni's.
    """

    def __init__(
        self,
        store: Store,
        advertised_url: Callable[[], str],
        kubernetes_url: Callable[[], str],
        factory_url: Callable[[], str],
        *,
        break_glass: bool = False,
    ) -> None:
        self._store = store
        self._advertised_url = advertised_url
        self._kubernetes_url = kubernetes_url
        self._factory_url = factory_url
        self._break_glass = break_glass


def cluster_of(context: Context) -> str:
    """Return the cluster that a call's metadata name: `cluster` wins over `context`; empty when none is named."""
    return next(iter(metadata_values(context, "cluster") + metadata_values(context, "context")), "")
