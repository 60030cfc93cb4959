"""The state that one application shares among its plugins: Omni's client, bound adapters, operations, caches."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from flask import Response, current_app, request

from omni_gateway.auth import Principal, Role, Scope
from omni_gateway.cache.client import CachingClient
from omni_gateway.http.guard import check_role, permitted
from omni_gateway.http.metric_samples import MetricSamples
from omni_gateway.http.problems import Problem
from omni_gateway.http.readiness import Readiness
from omni_gateway.lru import ByteBoundedLRU
from omni_gateway.omni import OmniClient
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import ScopedAdapter, unscoped
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.pages import RenderedPages
from omni_gateway.rest.rendered_bodies import RenderedBodies
from omni_gateway.rest.request_context import current_reads, request_context
from omni_gateway.rest.response_cache import ResponseCache
from omni_gateway.store import PluginTables, Store
from omni_gateway.tasks import Tasks
from omni_gateway.watch.broadcaster import Broadcasters
from omni_gateway.watch.stream_response import StreamLimiter

if TYPE_CHECKING:
    from omni_gateway.auth.oidc import IssuerChecks

EXTENSION = "omni_gateway"
#: Methods that are safe (RFC 9110 §9.2.1).
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Answering(Protocol):
    """A collection that responds to the current request; ``forced`` filters come from the URL's path."""

    def answer(self, arguments: Mapping[str, Any], forced: Mapping[str, Any] | None = None) -> Response:
        """Return a page or a stream."""
        ...


class Mounted(Protocol):
    """A registered plugin, as other modules and plugins see it."""

    @property
    def name(self) -> str:
        """Return the first segments of the plugin's URLs."""
        ...

    @property
    def adapter(self) -> ResourceAdapter:
        """Return its adapter."""
        ...

    @property
    def roles(self) -> Mapping[str, Role]:
        """Return the role that each verb needs."""
        ...

    @property
    def collection(self) -> Answering | None:
        """Return the plugin's collection; None if it has none."""
        ...


@dataclass
class Gateway:
    """The shared state of one application; ``own_omni`` is the client with the gateway's own Omni identity."""

    own_omni: CachingClient
    streams: StreamLimiter
    watches: StreamLimiter
    store: Store
    issuers: Callable[[], IssuerChecks]
    #: All that is rendered: bodies of objects, pages and responses.
    rendered: ByteBoundedLRU
    readiness: Readiness = field(default_factory=Readiness)
    samples: MetricSamples = field(default_factory=MetricSamples)
    tasks: Tasks = field(default_factory=Tasks)
    plugins: dict[str, Mounted] = field(default_factory=dict)
    broadcasters: Broadcasters = field(default_factory=Broadcasters)
    operations: dict[str, OperationKind] = field(default_factory=dict)
    #: Operation kind → the adapter of the objects that it works on.
    operated_by: dict[str, ResourceAdapter] = field(default_factory=dict)
    #: Operation kind → the role that reading operations of this kind needs.
    operation_roles: dict[str, Role] = field(default_factory=dict)
    #: Plugin → its settings.
    plugin_settings: dict[str, Any] = field(default_factory=dict)
    #: Plugin → its tables, of those that have some.
    plugin_tables: dict[str, PluginTables] = field(default_factory=dict)
    #: The ``id()`` of each adapter of a plugin → the plugin's name.
    owners: dict[int, str] = field(default_factory=dict)
    #: The whole name of each metric of a plugin → the plugin's name.
    metrics: dict[str, str] = field(default_factory=dict)
    _adapters: dict[tuple[int, int], ResourceAdapter] = field(default_factory=dict)

    @property
    def omni(self) -> OmniClient:
        """Return the client for the current request; with the caller's own Omni identity if it has one.

        For a GET, HEAD or OPTIONS the client rejects calls that change something: such requests are not audited, and
        any client or proxy may repeat them. Raises ``RuntimeError`` outside of a request; work that continues after the
        request must keep the client that it got.
        """
        if request.method in READING:
            return self._only_reading()
        return request_context().principal.omni or self.own_omni

    @property
    def reader(self) -> OmniClient:
        """Return the client for a request that only reads: from the cache where :meth:`may_use_cache`, else Omni.

        It rejects calls that change something, also in a POST.
        """
        if self.may_use_cache():
            return self._reader
        return self._only_reading()

    def _only_reading(self) -> OmniClient:
        own = request_context().principal.omni
        return self._own_only_reading if own is None else own.only_reading()

    def may_use_cache(self) -> bool:
        """Return True if the current request may be answered from the cache.

        False for a caller with an Omni identity of its own: the cache was read with the gateway's identity, which may
        read more.
        """
        return request_context().principal.omni is None and bool(self.own_omni.cache.max_size)

    def bound(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return a plugin's adapter for the current request, with the caller's client and scope.

        It reads from Omni, never from the cache: use it for writes and for the reads that precede them.
        """
        return self._bind(request_context().principal, self.omni, adapter)

    def reading(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return a plugin's adapter for a request that only reads, with the caller's scope.

        It may read from the cache, see :attr:`reader`; for a write use :meth:`bound`.
        """
        context = request_context()
        context.reads.cacheable_response = context.reads.cacheable_response and adapter.cacheable_response
        return self._bind(context.principal, self.reader, adapter)

    def operation_source(self, kind: OperationKind) -> OmniClient | ResourceAdapter:
        """Return the argument of an operation kind's functions in a request that only reads."""
        return unscoped(self.reading(self.operated_by[kind.name])) if kind.takes_adapter else self.reader

    def as_itself(self, adapter: ResourceAdapter) -> ResourceAdapter:
        """Return a plugin's adapter with the gateway's own client, for all clusters; for work outside of requests."""
        return self._shared(adapter, self.own_omni)

    def may_read_operations(self, kind: str) -> bool:
        """Return True if the caller's role may read operations of this kind. Raises 401 without a credential."""
        return permitted(self.operation_roles[kind], authorized_by_omni=self._authorized_by_omni(kind))

    def require_operations(self, kind: str) -> None:
        """Raise 401 or 403 unless the caller may read operations of this kind."""
        check_role(self.operation_roles[kind], authorized_by_omni=self._authorized_by_omni(kind))

    def _authorized_by_omni(self, kind: str) -> bool:
        return kind not in self.operated_by or self.operated_by[kind].authorized_by_omni

    @cached_property
    def responses(self) -> ResponseCache:
        """Return the response cache."""
        return ResponseCache(self.own_omni.cache, self.rendered)

    @cached_property
    def pages(self) -> RenderedPages:
        """Return the cache of rendered pages."""
        return RenderedPages(self.rendered, self.bodies)

    @cached_property
    def bodies(self) -> RenderedBodies:
        """Return the cache of rendered bodies."""
        return RenderedBodies(self.rendered)

    @cached_property
    def _own_only_reading(self) -> OmniClient:
        return self.own_omni.only_reading()

    @cached_property
    def _reader(self) -> OmniClient:
        return self.own_omni.reading(current_reads)

    def _bind(self, caller: Principal, omni: OmniClient, adapter: ResourceAdapter) -> ResourceAdapter:
        # Clients of callers with an identity of their own come and go, so adapters are shared for the gateway's only.
        bound = self._shared(adapter, omni) if caller.omni is None else self._copy(adapter, omni)
        return _scoped(caller.scope, bound)

    def _shared(self, adapter: ResourceAdapter, omni: OmniClient) -> ResourceAdapter:
        key = (id(adapter), id(omni))
        if key not in self._adapters:
            self._adapters[key] = self._copy(adapter, omni)
        return self._adapters[key]

    def _copy(self, adapter: ResourceAdapter, omni: OmniClient) -> ResourceAdapter:
        bound = adapter.bind(omni)
        bound.store = self.store
        owner = self.owners.get(id(adapter), "")
        bound.settings = self.plugin_settings.get(owner)
        if owner in self.plugin_tables:
            bound.tables = self.plugin_tables[owner]
        return bound


def _scoped(scope: Scope, bound: ResourceAdapter) -> ResourceAdapter:
    """Return the adapter restricted to a scope. Raises 403 if its objects contain data of every cluster."""
    if not scope.restricted:
        return bound
    if not bound.restricted_may_read:
        raise Problem(403, "forbidden", "This contains data of every cluster, and you may access only some.")
    inner = copy.copy(bound)
    inner.scope = scope
    return ScopedAdapter(inner, scope)


def current_gateway() -> Gateway:
    """Return the gateway of the application that serves this request."""
    return cast(Gateway, current_app.extensions[EXTENSION])
