"""The adapter for callers whose token is restricted to some clusters: it enforces the scope.

Every view uses the adapter that :meth:`Gateway.bound` or :meth:`Gateway.reading` returns, so cluster patterns are
enforced only here: objects of clusters outside of the scope do not exist for the caller (404, and not counted), and a
write must concern clusters within the scope (403). Objects of no cluster, such as versions and free machines, can be
read and not written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from omni_gateway.auth import Scope
from omni_gateway.http.guard import about_all_clusters
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import Created, ResourceAdapter
from omni_gateway.rest.errors import MISSING, NotFound
from omni_gateway.watch.source import WatchSource, without_content


class ScopedAdapter(ResourceAdapter):
    """Restricts the adapter ``inner`` to ``scope``.

    A plugin's own function gets ``inner``, after its object has been looked up here (:func:`within_reach`).
    """

    def __init__(self, inner: ResourceAdapter, scope: Scope) -> None:
        self.inner = inner
        self.scope = scope
        self.type = inner.type
        self.namespace = inner.namespace
        self.distinguishes_zero_from_unset = inner.distinguishes_zero_from_unset
        self.unreadable = inner.unreadable
        self.omni = inner.omni
        self.store = inner.store
        self.settings = inner.settings

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that an object belongs to."""
        return self.inner.cluster_of(resource)

    def list(self, query: ListQuery) -> Listing:
        """Return and count the objects within the scope. Pages are cut here: the back end counts all objects."""
        items = self.inner.list(replace(query, offset=0, limit=0)).items
        owners = self.inner.clusters_of(items)
        # Asked once for each cluster: ten thousand machines are members of a few hundred.
        may_read = {cluster: self._may_read(cluster) for cluster in set(owners)}
        readable = [item for item, cluster in zip(items, owners, strict=True) if may_read[cluster]]
        return Listing(query.page_of(readable), len(readable))

    def get(self, id: str) -> Resource:
        """Return one object. Raises :class:`NotFound` if it is outside of the scope."""
        resource = self.inner.get(id)
        if not self._may_read(self.inner.cluster_of(resource)):
            raise NotFound(id)
        return resource

    def get_written(self, written: Resource) -> Resource:
        """Return an object after a write. Raises :class:`NotFound` if it is outside of the scope."""
        resource = self.inner.get_written(written)
        if not self._may_read(self.inner.cluster_of(resource)):
            raise NotFound(written.id)
        return resource

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 403 for a write outside of the scope, and the problems of the inner adapter.

        A write to another cluster is rejected before the inner check, whose problems could reveal that cluster's state;
        a write to no cluster only after it, since the inner check may complete the cluster label.
        """
        objects = [item for item in (resource, existing) if item is not None]
        self._require_scope(self._owners(*objects), require_cluster=False)
        self._require_other_clusters(resource, existing, extras)
        self.inner.check(resource, existing, extras)
        self._require_scope(self._owners(*objects))

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the other objects that a create creates."""
        return self.inner.additional_objects(resource, extras)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create an object; 403 outside of the scope."""
        self._require_scope(self._owners(resource))
        return self.inner.create(resource, extras)

    def replace(self, resource: Resource) -> None:
        """Write an object; 403 outside of the scope."""
        self._require_scope(self._owners(resource))
        self.inner.replace(resource)

    def delete(self, resource: Resource) -> None:
        """Remove an object; 403 outside of the scope."""
        self._require_scope(self._owners(resource))
        self._require_other_clusters(resource, None, {})
        self.inner.delete(resource)

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Remove an object; 403 outside of the scope."""
        self._require_scope(self._owners(resource))
        self._require_other_clusters(resource, None, {})
        self.inner.delete_with(resource, options)

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise the problems that ``delete_with`` would raise."""
        self._require_scope(self._owners(resource))
        self._require_other_clusters(resource, None, {})
        self.inner.check_delete_with(resource, options)

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the other objects that a removal removes."""
        return self.inner.also_deleted(resource, options)

    def check_delete(self, resource: Resource) -> None:
        """Raise the problems that ``delete`` would raise."""
        self._require_scope(self._owners(resource))
        self._require_other_clusters(resource, None, {})
        self.inner.check_delete(resource)

    def refuse_owned(self, existing: Resource) -> None:
        """Raise the inner adapter's problem for an object that only the back end may change."""
        self.inner.refuse_owned(existing)

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise the problem with which the back end would reject a write."""
        self.inner.predict(resource, existing)

    def watch_source(self, query: ListQuery, id: str = "") -> WatchSource | None:
        """Return the source of the inner adapter; the scope is enforced by its ``owner``."""
        return self.inner.watch_source(query, id)

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Return the changes within the scope.

        An object that leaves the scope is yielded as deleted, one that enters it as added.
        """
        with self.inner.watch(query, id) as changes:
            yield self._in_scope(changes)

    def _in_scope(self, changes: Iterator[Change]) -> Iterator[Change]:
        # Ids of the objects that the watcher knows: an object may move into or out of the scope.
        known_ids: set[str] = set()
        for change in changes:
            resource = change.resource
            if resource is None:
                yield change
                continue
            known = resource.id in known_ids
            owner = self.inner.cluster_of(resource)
            if change.kind == "deleted" or not self._may_read(owner):
                known_ids.discard(resource.id)
                if known:
                    yield Change("deleted", resource if self._may_read(owner) else without_content(resource))
                continue
            known_ids.add(resource.id)
            yield change if known else replace(change, kind="added")

    def may_ask(self, id: str) -> bool:
        """Return True if the caller may learn whether an object of this id exists."""
        try:
            self.get(id)
        except MISSING:
            return self._may_read(self.inner.cluster_of(Resource(id))) and not self._exists(id)
        return True

    def require_writable(self, id: str) -> None:
        """Raise :class:`NotFound` if the object is outside of the scope, 403 if it belongs to no cluster."""
        self._require_scope(self._owners(self.get(id)))

    def _exists(self, id: str) -> bool:
        try:
            self.inner.get(id)
        except MISSING:
            return False
        return True

    def _may_read(self, cluster: str | None) -> bool:
        return not cluster or self.scope.allows(cluster)

    def _owners(self, *resources: Resource) -> Sequence[str | None]:
        return [self.inner.cluster_of(item) if self.inner.restricted_may_write else None for item in resources]

    def _require_other_clusters(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 403 if a write affects another cluster outside of the scope; the problem does not name it."""
        for cluster in self.inner.other_clusters_affected(resource, existing, extras):
            if not cluster or not self.scope.allows(cluster):
                raise scope_error(self.scope)

    def _require_scope(self, clusters: Sequence[str | None], *, require_cluster: bool = True) -> None:
        """Raise 403 for a cluster outside of the scope and, if ``require_cluster``, for None.

        Both raise the same problem: it must not reveal whether a machine is free or in another caller's cluster.
        """
        for cluster in clusters:
            if (require_cluster and not cluster) or (cluster and not self.scope.allows(cluster)):
                raise scope_error(self.scope)


def scope_error(scope: Scope) -> Problem:
    """Return the 403 for a request outside of ``scope``; it names the scope's patterns and nothing that exists."""
    return Problem(403, "forbidden", f"You may access these clusters only: {_patterns(scope)}.")


def _patterns(scope: Scope) -> str:
    return ", ".join(scope.patterns or ())


def unscoped(adapter: ResourceAdapter) -> ResourceAdapter:
    """Return the adapter without its scope, for sub-resources of an object that was looked up within the scope."""
    return adapter.inner if isinstance(adapter, ScopedAdapter) else adapter


def within_reach(
    adapter: ResourceAdapter, id: str | None, *, writes: bool = False, cluster_independent: bool = False
) -> ResourceAdapter:
    """Check the caller's scope for a plugin's own function and return the adapter to pass to it.

    :param id: the object that the function is called for; None for one on a collection, which only callers of all
        clusters may call unless it is ``cluster_independent``.
    :param writes: whether the object must be writable for the caller, not only readable.

    Raises :class:`NotFound` if the object is outside of the scope, and 403 as described.
    """
    if not isinstance(adapter, ScopedAdapter):
        return adapter
    if id is None and not cluster_independent:
        raise about_all_clusters()
    if id is not None and writes:
        adapter.require_writable(id)
    elif id is not None:
        adapter.get(id)
    return adapter.inner


def may_ask(adapter: ResourceAdapter, id: str) -> bool:
    """Return True if the caller may learn whether an object of this id exists."""
    return not isinstance(adapter, ScopedAdapter) or adapter.may_ask(id)
