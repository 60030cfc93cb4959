"""What one application shares among its plugins: the client, the bound adapters, the operations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from flask import Response, current_app, request

from omni_gateway.auth import Role, Scope
from omni_gateway.cache.client import CachingClient
from omni_gateway.http.caching import current_read_record
from omni_gateway.http.guard import check_role, current_principal, permitted
from omni_gateway.http.problems import Problem
from omni_gateway.http.readiness import Readiness
from omni_gateway.omni import OmniClient
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import ScopedAdapter
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.pages import RenderedPages
from omni_gateway.rest.response_cache import ResponseCache
from omni_gateway.store import Store
from omni_gateway.watch.broadcaster import Broadcasters
from omni_gateway.watch.stream_response import StreamLimiter

if TYPE_CHECKING:
    from omni_gateway.auth.oidc import IssuerChecks

EXTENSION = "omni_gateway"
#: Methods that are safe (RFC 9110 §9.2.1).
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Answering(Protocol):
    """A collection that answers the request in flight; ``forced`` filters come from the URL's path."""

    def answer(self, arguments: Mapping[str, Any], forced: Mapping[str, Any] | None = None) -> Response:
        """Return a page or a stream."""
        ...


class Mounted(Protocol):
    """What plugins know of each other."""

    @property
    def name(self) -> str:
        """Return where the plugin's URLs begin."""
        ...

    @property
    def adapter(self) -> ResourceAdapter:
        """Return its back end."""
        ...

    @property
    def roles(self) -> Mapping[str, Role]:
        """Return the role that each verb takes."""
        ...

    @property
    def collection(self) -> Answering | None:
        """Return the plugin's list, if it has one."""
        ...


@dataclass
class Gateway:
    """The running gateway, one per application; ``own_omni`` makes calls as the gateway itself."""

    own_omni: CachingClient
    streams: StreamLimiter
    watches: StreamLimiter
    store: Store
    issuers: Callable[[], IssuerChecks]
    readiness: Readiness = field(default_factory=Readiness)
    plugins: dict[str, Mounted] = field(default_factory=dict)
    broadcasters: Broadcasters = field(default_factory=Broadcasters)
    operations: dict[str, OperationKind] = field(default_factory=dict)
    #: Operation kind → the adapter whose objects it is about.
    operated_by: dict[str, ResourceAdapter] = field(default_factory=dict)
    #: Operation kind → the least role that may read operations of this kind.
    operation_roles: dict[str, Role] = field(default_factory=dict)
    _adapters: dict[tuple[int, int], ResourceAdapter] = field(default_factory=dict)

    @property
    def omni(self) -> OmniClient:
        """Return the client by which the request in flight speaks to Omni: its caller's own in pass-through.

        Only for the length of a request (RuntimeError outside of one): what goes on after it takes the client along.
        For a GET it makes no call that changes something: nothing audits a GET, and anything may repeat one.
        """
        own = current_principal().omni
        if request.method in READING:
            return self._own_only_reading if own is None else own.only_reading()
        return own or self.own_omni

    @property
    def reader(self) -> OmniClient:
        """Return the client for a request that only reads: as :attr:`omni`, but from the cache where that may be."""
        return self._reader if self.may_feed() else self.omni

    def may_feed(self) -> bool:
        """Whether what the caller of the request in flight reads may come from the cache."""
        return current_principal().omni is None and bool(self.own_omni.cache.max_size)

    def bound(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return a plugin's adapter for the request in flight: with its caller's client, within its caller's scope."""
        return self._through(self.omni, adapter)

    def reading(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return a plugin's adapter for a request that only reads: what it asks of Omni may come from the cache.

        Never for a caller with an Omni identity of its own: what is cached was told to the gateway's. What a write
        looks at first must come from Omni: :meth:`bound`.
        """
        reading = current_read_record()
        reading.cacheable_response = reading.cacheable_response and adapter.cacheable_response
        return self._through(self.reader, adapter)

    def may_read_operations(self, kind: str) -> bool:
        """Return whether the caller may read operations of a kind: it takes the role of the objects they are about."""
        return permitted(self.operation_roles[kind], authorized_by_omni=self._omni_decides(kind))

    def demand_operations(self, kind: str) -> None:
        """Raise 401 or 403 unless the caller may read operations of this kind."""
        check_role(self.operation_roles[kind], authorized_by_omni=self._omni_decides(kind))

    def _omni_decides(self, kind: str) -> bool:
        return kind not in self.operated_by or self.operated_by[kind].authorized_by_omni

    @cached_property
    def responses(self) -> ResponseCache:
        """Return the response cache."""
        return ResponseCache(self.own_omni.cache)

    @cached_property
    def pages(self) -> RenderedPages:
        """Return the cache of rendered pages."""
        return RenderedPages()

    @cached_property
    def _own_only_reading(self) -> OmniClient:
        return self.own_omni.only_reading()

    @cached_property
    def _reader(self) -> OmniClient:
        return self.own_omni.reading(current_read_record)

    def _through(self, omni: OmniClient, adapter: ResourceAdapter) -> ResourceAdapter:
        caller = current_principal()
        bound = self._shared(adapter, omni) if caller.omni is None else self._copy(adapter, omni)
        return _within(caller.scope, bound)

    def _shared(self, adapter: ResourceAdapter, omni: OmniClient) -> ResourceAdapter:
        key = (id(adapter), id(omni))
        if key not in self._adapters:
            self._adapters[key] = self._copy(adapter, omni)
        return self._adapters[key]

    def _copy(self, adapter: ResourceAdapter, omni: OmniClient) -> ResourceAdapter:
        bound = adapter.bind(omni)
        bound.store = self.store
        return bound


def _within(scope: Scope, bound: ResourceAdapter) -> ResourceAdapter:
    """Return an adapter within a caller's reach; 403 where it tells of all clusters and the reach is but some."""
    if not scope.restricted:
        return bound
    if bound.tells_of_all:
        raise Problem(403, "forbidden", "This tells of all clusters; you may touch only some.")
    held = copy.copy(bound)
    held.scope = scope
    return ScopedAdapter(held, scope)


def current_gateway() -> Gateway:
    """Return the gateway of the application that serves this request."""
    return cast(Gateway, current_app.extensions[EXTENSION])
