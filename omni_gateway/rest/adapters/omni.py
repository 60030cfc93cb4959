"""The adapter of any Omni resource type, over Omni's ``omni.resources.ResourceService``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import Context
from dataclasses import replace
from typing import Any

from omni_gateway.cache.client import find_written
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model.membership import cluster_of_machine_status, clusters_of_machines
from omni_gateway.model.omni_objects import read, resource_of, resources_of
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import errors, selectors
from omni_gateway.omni.types import MACHINE_STATUSES, UNREADABLE, namespace_of
from omni_gateway.rest.adapters.base import Created, ResourceAdapter
from omni_gateway.rest.errors import NotFound
from omni_gateway.rest.predictions import refuse_predicted, refuse_verb
from omni_gateway.rest.select import select, sort_and_cut
from omni_gateway.watch.private_watch import private_watch
from omni_gateway.watch.source import View, WatchedType, WatchSource

_SORTED_BY_OMNI: tuple[tuple[tuple[str, bool], ...], ...] = ((), (("id", False),), (("id", True),))


class OmniSource(WatchSource):
    """The watch of one type's objects, each as ``OmniResourceAdapter.shown`` returns it.

    A subclass can narrow ``matches``; see :attr:`OmniResourceAdapter.watch_source_class`.
    """

    def __init__(self, adapter: OmniResourceAdapter, query: ListQuery, id: str) -> None:
        self.adapter = adapter
        self.query = query
        self._type = adapter.type
        self._id = id or query.filters.get(adapter.id_filter, "")
        texts = tuple(text for text in adapter.selectors(query) if text.strip())
        self._selectors = selectors.parse_all(texts)
        search = (query.search,) if query.search else ()
        self.from_informers = not search and self._selectors is not None
        self.triggers = (WatchedType(adapter.type, adapter.namespace, self._id, texts, search),)
        if adapter.follows_machines:
            self.lookups = (WatchedType(MACHINE_STATUSES),)

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        """Return the object's own id."""
        id = new.id if new is not None else old.id if old is not None else ""
        return [id] if not self._id or id == self._id else []

    def ids(self, view: View) -> Iterable[str]:
        """Return the ids of all objects."""
        return [self._id] if self._id else [item.id for item in view.all(self._type)]

    def build(self, view: View, id: str) -> Resource | None:
        """Return the object as it is shown."""
        item = view.get(self._type, id)
        return None if item is None else self.adapter.shown_once(item)

    def matches(self, resource: Resource) -> bool:
        """Return True if any of the adapter's selectors matches the labels."""
        if not self._selectors:
            return True  # there are none, or only Omni can evaluate them
        return any(selector.matches(resource.labels) for selector in self._selectors)

    def owner(self, view: View, resource: Resource) -> str | None:
        """Return the cluster as ``OmniResourceAdapter.cluster_of`` does."""
        machine = self.adapter.followed_machine(resource)
        if machine is None:
            return self.adapter.named_cluster(resource)
        status = view.get(MACHINE_STATUSES, machine)
        return cluster_of_machine_status(status)


class OmniResourceAdapter(ResourceAdapter):
    """Adapter for the objects of one Omni type, e.g. ``OmniResourceAdapter("ConfigPatches.omni.sidero.dev")``."""

    distinguishes_zero_from_unset = False
    authorized_by_omni = True
    cacheable_response = True
    lists_whole_objects = True
    #: The class of :meth:`watch_source`; another one for an adapter that selects by more than ids and labels.
    watch_source_class: type[OmniSource] = OmniSource

    def __init__(
        self,
        type: str,
        namespace: str | None = None,
        *,
        sortable: Sequence[str] = (),
        hint: str = "",
        id_filter: str = "",
        id_is_of: str = "",
    ) -> None:
        """Create an adapter.

        :param type: Omni's resource type.
        :param namespace: its namespace; by default the type's own.
        :param sortable: names of spec members that lists may be sorted by.
        :param hint: the ``hint`` of the 403 for a write that Omni denies because its controllers own the object or the
            type: what to do instead.
        :param id_filter: name of the filter (see ``sdk.id_filter``) whose value is an object's id, e.g. ``machine`` for
            kernel arguments, ``cluster`` for load balancers.
        :param id_is_of: ``cluster`` or ``machine`` if an object's id is that of its cluster or machine; by default
            ``id_filter``. It decides which cluster an object belongs to.
        """
        self.type = type
        self.namespace = namespace or namespace_of(type)
        self.unreadable = type in UNREADABLE
        self.hint = hint
        self.id_filter = id_filter
        self.id_is_of = id_is_of or id_filter
        if self.id_is_of == "machine":
            self.ids_are_machines = True
        self.sortable: frozenset[str] = frozenset(sortable)

    def list(self, query: ListQuery) -> Listing:
        """Return a page of objects. Omni selects, searches and pages; sorting by anything but the id is done here.

        Omni leaves zero values out of its JSON and rejects sorting by a field that one object lacks. Raises a 422
        problem for a sort key that is not sortable.
        """
        if self.id_filter in query.filters:
            return self._list_by_id(query)
        texts = self.selectors(query)
        if not _sendable(texts):
            return self._list_selected_here(query, texts)
        paged_by_omni = query.sort in _SORTED_BY_OMNI
        page = self.omni.resources.list(
            self.type,
            self.namespace,
            offset=query.offset if paged_by_omni else 0,
            limit=query.limit if paged_by_omni else 0,
            sort_by="id",
            descending=bool(query.sort and query.sort[0][1]) if paged_by_omni else False,
            search=[query.search] if query.search else (),
            selectors=texts,
        )
        items = self._all_shown(resources_of(page))
        return Listing(items if paged_by_omni else sort_and_cut(items, query, self.sortable), page.total)

    def shown(self, resource: Resource) -> Resource:
        """Return the object to show to callers for one of Omni's; the default returns it unchanged.

        Override it to add spec members that Omni has in the id or in labels. Return a copy and never change the
        argument. The result must depend on the argument alone: it is cached for as long as Omni's object is, for all
        callers. So this is called outside of the request, and an access to the request or its caller raises
        ``RuntimeError``.
        """
        return resource

    def shown_once(self, item: Resource) -> Resource:
        """Return ``shown(item)``; for a shared object it is computed once and shared too."""
        if type(self).shown is OmniResourceAdapter.shown:
            return item
        shown: Resource = item.derived(type(self).shown, lambda original: Context().run(self.shown, original).shared())
        return shown

    def _all_shown(self, items: Sequence[Resource]) -> Sequence[Resource]:
        if type(self).shown is OmniResourceAdapter.shown:
            return items  # a list may have ten thousand
        return [self.shown_once(item) for item in items]

    def _list_selected_here(self, query: ListQuery, texts: Sequence[str]) -> Listing:
        """Return a page for selectors that cannot be sent to Omni: read all objects and select them here."""
        everything = replace(query, selector=None, filters={}, sort=(), offset=0, limit=0)
        parsed = [selectors.parse(text) for text in texts]
        selected = [
            item
            for item in OmniResourceAdapter.list(self, everything).items
            if any(selector.matches(item.labels) for selector in parsed)
        ]
        return Listing(sort_and_cut(selected, query, self.sortable), len(selected))

    def _list_by_id(self, query: ListQuery) -> Listing:
        """Return the object whose id the filter names, if it exists and matches the rest of the query."""
        try:
            found = [self.get(query.filters[self.id_filter])]
        except errors.NotFound:
            found = []
        return select(found, query, self.sortable)

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the query's label selectors in Omni's grammar; an object that matches one of them is selected."""
        return [query.selector.to_omni()] if query.selector else []

    def get(self, id: str) -> Resource:
        """Return one object. Raises ``omni.errors.NotFound`` if there is none."""
        try:
            found = read(self.omni, self.type, id, self.namespace)
        except errors.Unknown as error:
            if self.namespace != "external":
                raise
            # Types of the namespace "external" are read from elsewhere than Omni's state; for an id that no such object
            # can have, Omni answers Unknown instead of NotFound.
            raise NotFound(id) from error
        return self.shown_once(found)

    def get_written(self, written: Resource) -> Resource:
        """Return the stored object after a write: from the cache if its watch has delivered it, else from Omni."""
        # A subclass with a `get` of its own may read more than the object itself, which the cache does not have.
        if type(self).get is OmniResourceAdapter.get:
            metadata = {"labels": written.labels, "annotations": written.annotations}
            # An object that was read before it was written has a creation time.
            created = None if written.created else {"metadata": metadata, "spec": written.spec}
            cached = find_written(self.omni, self.type, written.id, self.namespace, created)
            if cached is not None:
                return self.shown_once(resource_of(cached))
        return self.get(written.id)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the object in its type's own namespace; Omni accepts any other, but no controller reads it there."""
        with self.forbidden_hint():
            self.omni.resources.create(
                self.type,
                resource.id,
                resource.spec,
                namespace=self.namespace,
                labels=resource.labels,
                annotations=resource.annotations,
            )
        return None

    def replace(self, resource: Resource) -> None:
        """Update the object at ``resource.version``. Raises ``omni.errors.StaleVersion`` if it has another one."""
        with self.forbidden_hint():
            self.omni.resources.update(resource.to_omni(), version=resource.version)

    def delete(self, resource: Resource) -> None:
        """Tear the object down. Omni destroys it once its last finalizer is removed; a missing object is no error."""
        with self.forbidden_hint(), suppress(errors.NotFound):
            self.omni.resources.remove(self.type, resource.id, self.namespace)

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster that an object names: by its id if ``id_is_of`` is set, else by the cluster label.

        Override it for objects that name their cluster elsewhere. It must depend on the object alone.
        """
        return resource.id if self.id_is_of == "cluster" else super().cluster_of(resource)

    def followed_machine(self, resource: Resource) -> str | None:
        """Return the id of the machine whose cluster an object belongs to; None if it names its cluster itself.

        Override it for objects that name their machine elsewhere than in their id. It must depend on the object alone.
        """
        return resource.id if self.id_is_of == "machine" else None

    @property
    def follows_machines(self) -> bool:
        """True if objects may belong to the cluster of a machine."""
        return self.id_is_of == "machine" or type(self).followed_machine is not OmniResourceAdapter.followed_machine

    @property
    def clusters_are_named(self) -> bool:
        """True if the objects' clusters are known by ``named_cluster`` and ``followed_machine``."""
        methods = (type(self).cluster_of, type(self).clusters_of)
        return methods == (OmniResourceAdapter.cluster_of, OmniResourceAdapter.clusters_of)

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster of ``followed_machine``, else ``named_cluster``."""
        return self.clusters_of([resource])[0]

    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        """Return the cluster of each object; one more call to Omni if any of them follows a machine."""
        if not self.follows_machines:
            return [self.named_cluster(resource) for resource in resources]
        followed = [self.followed_machine(resource) for resource in resources]
        machines = [machine for machine in followed if machine is not None]
        found = dict(zip(machines, clusters_of_machines(self.omni, machines), strict=True)) if machines else {}
        return [
            self.named_cluster(resource) if machine is None else found[machine]
            for resource, machine in zip(resources, followed, strict=True)
        ]

    @contextmanager
    def forbidden_hint(self) -> Iterator[None]:
        """Turn Omni's PermissionDenied into a 403 problem with this adapter's ``hint``; wrap writes in it."""
        try:
            yield
        except errors.PermissionDenied as error:
            raise problem_for(error, hint=self.hint or None) from error

    def refuse_owned(self, existing: Resource) -> None:
        """Raise 403 for an object that is owned by one of Omni's controllers, as Omni itself would."""
        if existing.owner:
            text = f"{existing.id!r} is owned by Omni's {existing.owner}."
            raise Problem(403, "omni-forbidden", text, hint=self.hint or None)

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise the 403 or 422 with which Omni would reject a write, as far as its rules are known here.

        Omni has no dry run of its own. Override this in an adapter whose writes change objects of other types.
        """
        verb = "create" if existing is None else "destroy" if resource is None else "update"
        refuse_verb(self.type, verb, hint=self.hint or None)
        if resource is not None:
            refuse_predicted(self.omni, replace(resource, type=self.type), existing)

    def watch_source(self, query: ListQuery, id: str = "") -> WatchSource | None:
        """Return the source of a watch of this type.

        Returns None, so that ``watch`` is used, for a subclass that overrides that; and for a caller restricted to some
        clusters if a subclass overrides ``cluster_of``, which may call Omni.
        """
        if type(self).watch is not OmniResourceAdapter.watch or (self.scope.restricted and not self.clusters_are_named):
            return None
        return self.watch_source_class(self, query, id)

    def watch(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Return the changes of a watch that Omni serves; leaving the context cancels it.

        Polls instead if the query's selectors cannot be sent to Omni.
        """
        if not _sendable(self.selectors(query)):
            return self.polled(query, id)
        return private_watch(self.omni, self.watch_source_class(self, query, id))


def _sendable(texts: Sequence[str]) -> bool:
    return all(selectors.sendable(text) for text in texts)
