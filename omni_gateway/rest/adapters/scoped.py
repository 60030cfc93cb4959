"""An adapter as a caller sees it whose token is for some clusters only.

Everything that a view does goes through the adapter that :meth:`Gateway.bound` hands out, so this is the one place
where cluster patterns are enforced: what is out of a caller's reach is not there (404, and not counted), and a write
must be about a cluster within reach (403). What belongs to no cluster, such as versions and free machines, can be
read and not be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from omni_gateway.auth import Scope
from omni_gateway.http.guard import about_all_clusters
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Change, Listing, ListQuery, through
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import Created, ResourceAdapter
from omni_gateway.rest.errors import MISSING, NotFound


class ScopedAdapter(ResourceAdapter):
    """``inner`` within a ``scope``; ``inner`` itself is for functions whose object has been looked up here before."""

    def __init__(self, inner: ResourceAdapter, scope: Scope) -> None:
        self.inner = inner
        self.scope = scope
        self.type = inner.type
        self.namespace = inner.namespace
        self.distinguishes_zero_from_unset = inner.distinguishes_zero_from_unset
        self.unreadable = inner.unreadable
        self.omni = inner.omni
        self.store = inner.store

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that an object belongs to."""
        return self.inner.cluster_of(resource)

    def list(self, query: ListQuery) -> Listing:
        """Return and count what is within reach."""
        whole = self.inner.list(replace(query, offset=0, limit=0)).items
        seen = [item for item, cluster in zip(whole, self.inner.clusters_of(whole), strict=True) if self._sees(cluster)]
        end = query.offset + query.limit if query.limit else None
        return Listing(seen[query.offset : end], len(seen))

    def get(self, id: str) -> Resource:
        """Return one object; :class:`NotFound` when it is out of reach."""
        resource = self.inner.get(id)
        if not self._sees(self.inner.cluster_of(resource)):
            raise NotFound(id)
        return resource

    def get_written(self, written: Resource) -> Resource:
        """Return an object after a write; :class:`NotFound` when it is out of reach."""
        resource = self.inner.get_written(written)
        if not self._sees(self.inner.cluster_of(resource)):
            raise NotFound(written.id)
        return resource

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse (403) what is about another cluster before the back end tells anything of that one, and what is about
        none after it had the chance to say which one it is."""
        present = [item for item in (resource, existing) if item is not None]
        self._demand(self._owners(*present), known=False)
        self._demand_besides(resource, existing, extras)
        self.inner.check(resource, existing, extras)
        self._demand(self._owners(*present))

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        """Return what a create makes besides."""
        return self.inner.additional_objects(resource, extras)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Make an object of a cluster within reach."""
        self._demand(self._owners(resource))
        return self.inner.create(resource, extras)

    def replace(self, resource: Resource) -> None:
        """Write an object of a cluster within reach."""
        self._demand(self._owners(resource))
        self.inner.replace(resource)

    def delete(self, resource: Resource) -> None:
        """Remove an object of a cluster within reach."""
        self._demand(self._owners(resource))
        self._demand_besides(resource, None, {})
        self.inner.delete(resource)

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Remove an object of a cluster within reach."""
        self._demand(self._owners(resource))
        self._demand_besides(resource, None, {})
        self.inner.delete_with(resource, options)

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Refuse what ``delete_with`` would refuse."""
        self._demand(self._owners(resource))
        self._demand_besides(resource, None, {})
        self.inner.check_delete_with(resource, options)

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        """Return what a removal takes along."""
        return self.inner.also_deleted(resource, options)

    def check_delete(self, resource: Resource) -> None:
        """Refuse what ``delete`` would refuse."""
        self._demand(self._owners(resource))
        self._demand_besides(resource, None, {})
        self.inner.check_delete(resource)

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse what the back end keeps to itself."""
        self.inner.refuse_owned(existing)

    def foresee(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise what the back end will answer."""
        self.inner.foresee(resource, existing)

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow what is within reach; an object that leaves it is told as deleted, one that enters it as added."""
        with self.inner.watch(query, id) as changes:
            yield through(self._within, changes)

    def _within(self, changes: Iterator[Change]) -> Iterator[Change]:
        told: set[str] = set()
        for change in changes:
            resource = change.resource
            if resource is None:
                yield change
                continue
            known = resource.id in told
            owner = self.inner.cluster_of(resource)
            if change.kind == "deleted" or not self._sees(owner):
                told.discard(resource.id)
                if known:
                    yield Change("deleted", resource if self._sees(owner) else _gone(resource))
                continue
            told.add(resource.id)
            yield change if known or change.kind == "added" else replace(change, kind="added")

    def may_ask(self, id: str) -> bool:
        """Whether the caller may know of an object of this id, or that there is none."""
        try:
            self.get(id)
        except MISSING:
            return self._sees(self.inner.cluster_of(Resource(id))) and not self._there(id)
        return True

    def demand_writable(self, id: str) -> None:
        """Raise :class:`NotFound` unless the object is within reach, 403 when it belongs to no cluster."""
        self._demand(self._owners(self.get(id)))

    def _there(self, id: str) -> bool:
        try:
            self.inner.get(id)
        except MISSING:
            return False
        return True

    def _sees(self, cluster: str | None) -> bool:
        return not cluster or self.scope.allows(cluster)

    def _owners(self, *resources: Resource) -> Sequence[str | None]:
        return [None if self.inner.of_the_fleet else self.inner.cluster_of(resource) for resource in resources]

    def _demand_besides(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse to reach further than the object's own cluster; which other one it is is not told."""
        for cluster in self.inner.other_clusters_affected(resource, existing, extras):
            if not cluster or not self.scope.allows(cluster):
                raise scope_error(self.scope)

    def _demand(self, clusters: Sequence[str | None], *, known: bool = True) -> None:
        """Refuse another cluster and, where it should be ``known``, none: in one way, for a machine is in either."""
        for cluster in clusters:
            if (known and not cluster) or (cluster and not self.scope.allows(cluster)):
                raise scope_error(self.scope)


def _gone(resource: Resource) -> Resource:
    """Return an object that went where its watcher may not look: which one it is, and nothing of what it is now."""
    return Resource(resource.id, namespace=resource.namespace, type=resource.type, version=resource.version)


def scope_error(scope: Scope) -> Problem:
    """Return the 403 for what reaches beyond a caller's clusters, without a word about what is there."""
    return Problem(403, "forbidden", f"This reaches beyond the clusters that you may touch: {_reach(scope)}.")


def _reach(scope: Scope) -> str:
    return ", ".join(scope.patterns or ())


def unscoped(adapter: ResourceAdapter) -> ResourceAdapter:
    """Return the adapter itself, for objects that lie below one that has been looked up within the scope."""
    return adapter.inner if isinstance(adapter, ScopedAdapter) else adapter


def within_reach(
    adapter: ResourceAdapter, id: str | None, *, writes: bool = False, cluster_independent: bool = False
) -> ResourceAdapter:
    """Return what a plugin's own function is given, when its object is within reach.

    ``id`` None: the function is about a whole collection, so only a caller of all clusters may have it, or everybody
    if it may be asked ``anywhere``. Raises as :class:`ScopedAdapter` does.
    """
    if not isinstance(adapter, ScopedAdapter):
        return adapter
    if id is None and not cluster_independent:
        raise about_all_clusters()
    if id is not None and writes:
        adapter.demand_writable(id)
    elif id is not None:
        adapter.get(id)
    return adapter.inner


def may_ask(adapter: ResourceAdapter, id: str) -> bool:
    """Whether the caller may know of an object of this id, or that there is none."""
    return not isinstance(adapter, ScopedAdapter) or adapter.may_ask(id)
