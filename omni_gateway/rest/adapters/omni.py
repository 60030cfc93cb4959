"""The adapter of any Omni resource type, over ``omni.resources.ResourceService`` (facts: resource-service)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from omni_gateway.cache.client import find_written
from omni_gateway.cache.subscription import IDLE, CachedObjectEvent, Subscription
from omni_gateway.http.omni_errors import problem_for
from omni_gateway.http.problems import Problem
from omni_gateway.model.membership import clusters_of_machines
from omni_gateway.model.memo import identity
from omni_gateway.model.omni_objects import kept_with, read, resource_in, resource_told, resources_of
from omni_gateway.model.query import Change, ChangeKind, Fed, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import ListResult, errors, messages, selectors
from omni_gateway.omni.resources import WatchEvent
from omni_gateway.omni.types import UNREADABLE, namespace_of
from omni_gateway.rest.adapters.base import Created, ResourceAdapter
from omni_gateway.rest.errors import NotFound
from omni_gateway.rest.predictions import refuse_predicted
from omni_gateway.rest.select import select, sort_and_cut

_KINDS: dict[str, ChangeKind] = {"created": "added", "updated": "modified", "destroyed": "deleted"}
_NOTHING = Change("idle")
_SORTED_BY_OMNI: tuple[tuple[tuple[str, bool], ...], ...] = ((), (("id", False),), (("id", True),))


class OmniResourceAdapter(ResourceAdapter):
    """Serve objects of one Omni type, e.g. ``OmniResourceAdapter("ConfigPatches.omni.sidero.dev")``."""

    distinguishes_zero_from_unset = False
    authorized_by_omni = True
    cacheable_response = True

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
        """Serve ``type``; ``sortable`` names the members of its specs that lists may be sorted by.

        ``id_filter`` names the filter (see ``sdk.id_filter``) whose value is an object's id: the machine of its kernel
        arguments, the cluster of its load balancer.

        ``id_is_of`` says that ids are those of a ``cluster`` or a ``machine``, and so which cluster an object belongs
        to; the filter says it too.

        ``hint`` says what to do instead where Omni refuses a write because its controllers own the object or the type.
        """
        self.type = type
        self.namespace = namespace or namespace_of(type)
        self.unreadable = type in UNREADABLE
        self.hint = hint
        self.id_filter = id_filter
        self.id_is_of = id_is_of or id_filter
        self.sortable = frozenset(sortable)

    def list(self, query: ListQuery) -> Listing:
        """Let Omni select, search and page; sort here by anything but the id, which Omni cannot do safely.

        Omni leaves zero values out of its JSON and refuses to sort by a field that one object lacks.
        """
        if self.id_filter in query.filters:
            return self._only(query)
        texts = self.selectors(query)
        if not _can_be_asked(texts):
            return self._selected_here(query, texts)
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
        whole = None if paged_by_omni else (query.sort, query.offset, query.limit)
        question = (type(self).shown, self.sortable, whole)
        items = kept_with(page, question, lambda: self._shown_page(page, query if whole else None))
        return Listing(items, page.total, identity(page))

    def _shown_page(self, page: ListResult, query: ListQuery | None) -> Sequence[Resource]:
        """Return a page's objects as callers read them; with a ``query``, in its order and cut to its page."""
        items = [self._shown_once(item) for item in resources_of(page)]
        return items if query is None else sort_and_cut(items, query, self.sortable)

    def shown(self, resource: Resource) -> Resource:
        """Return an object of Omni's as callers read it; the default: as it is.

        For members of the spec that stand in the id or in labels: return a copy, never change what is given. It must
        follow from the object alone, for it is kept as long as the object is.
        """
        return resource

    def _shown_once(self, item: Resource) -> Resource:
        """Return ``shown(item)``, made once for an object that is shared; it is shared then too."""
        if type(self).shown is OmniResourceAdapter.shown:
            return item
        made: Resource = item.derived(type(self).shown, lambda original: self.shown(original).shared())
        return made

    def _selected_here(self, query: ListQuery, texts: Sequence[str]) -> Listing:
        """Answer a query whose label queries cannot be sent: Omni tells all, the choice is made here."""
        everything = replace(query, selector=None, filters={}, sort=(), offset=0, limit=0)
        wanted = [selectors.parse(text) for text in texts]
        chosen = [
            item
            for item in OmniResourceAdapter.list(self, everything).items
            if any(one.matches(item.labels) for one in wanted)
        ]
        return Listing(sort_and_cut(chosen, query, self.sortable), len(chosen))

    def _only(self, query: ListQuery) -> Listing:
        """Return the object whose id the filter names, if there is one and the rest of the query takes it."""
        try:
            found = [self.get(query.filters[self.id_filter])]
        except errors.NotFound:
            found = []
        return select(found, query, self.sortable)

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the label query in Omni's grammar."""
        return [query.selector.to_omni()] if query.selector else []

    def get(self, id: str) -> Resource:
        """Read one object; ``omni.errors.NotFound`` when there is none."""
        try:
            found = read(self.omni, self.type, id, self.namespace)
        except errors.Unknown as error:
            if self.namespace != "external":
                raise
            raise NotFound(id) from error  # what is kept outside of Omni's state: an id that no such object can have
        return self._shown_once(found)

    def get_written(self, written: Resource) -> Resource:
        """Return an object after a write: from the watch of its type if this process has one, else by a call."""
        if type(self).get is OmniResourceAdapter.get:
            metadata = {"labels": written.labels, "annotations": written.annotations}
            asked = {"metadata": metadata, "spec": written.spec}
            told = find_written(self.omni, self.type, written.id, self.namespace, asked)
            if told is not None:
                return self._shown_once(resource_told(told))
        return self.get(written.id)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the object in its type's own namespace: Omni takes any, and no controller would see it."""
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
        """Update the object at the version it carries."""
        with self.forbidden_hint():
            self.omni.resources.update(resource.to_omni(), version=resource.version)

    def delete(self, resource: Resource) -> None:
        """Tear the object down; Omni destroys it when the last finalizer is gone (facts: cluster-side 1.5)."""
        with self.forbidden_hint(), suppress(errors.NotFound):
            self.omni.resources.remove(self.type, resource.id, self.namespace)

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster by its label, or by the id where that names a cluster or one of its machines."""
        if self.id_is_of == "cluster":
            return resource.id
        if self.id_is_of == "machine":
            return clusters_of_machines(self.omni, [resource.id])[0]
        return super().cluster_of(resource)

    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        """Return the cluster of each object; where ids name machines, of these (one more call)."""
        if self.id_is_of == "machine":
            return clusters_of_machines(self.omni, [resource.id for resource in resources])
        return super().clusters_of(resources)

    @contextmanager
    def forbidden_hint(self) -> Iterator[None]:
        """Tell what to do instead (``hint``) where Omni refuses a write by design."""
        try:
            yield
        except errors.PermissionDenied as error:
            raise problem_for(error, hint=self.hint or None) from error

    def refuse_owned(self, existing: Resource) -> None:
        """Raise the 403 that Omni would answer to a write over an object that one of its controllers owns."""
        if existing.owner:
            text = f"Omni's {existing.owner} owns {existing.id!r}."
            raise Problem(403, "omni-forbidden", text, hint=self.hint or None)

    def foresee(self, resource: Resource | None, existing: Resource | None) -> None:
        """Raise the 403 or 422 that Omni will answer, as far as it is known: Omni has no dry run.

        An adapter that writes something else than objects of its type overrides this.
        """
        verb = "create" if existing is None else "destroy" if resource is None else "update"
        if verb in messages.refused_verbs(self.type):
            raise Problem(403, "omni-forbidden", f"Omni lets nobody {verb} {self.type}.", hint=self.hint or None)
        if resource is not None:
            refuse_predicted(self.omni, replace(resource, type=self.type), existing)

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow Omni's own watch; leaving the context cancels it."""
        id = id or query.filters.get(self.id_filter, "")
        texts = self.selectors(query)
        if not _can_be_asked(texts):
            with super().watch(query, id) as polled:
                yield polled
            return
        stream = self.omni.resources.watch(
            self.type,
            self.namespace,
            id=id,
            selectors=texts,
            search=[query.search] if query.search else (),
        )
        with stream:
            told = (self._shown_change(_change(event)) for event in stream)
            changes = _with_bookmark(told) if id else told
            yield Fed(changes, stream) if isinstance(stream, Subscription) else changes

    def _shown_change(self, change: Change) -> Change:
        return change if change.resource is None else replace(change, resource=self._shown_once(change.resource))


def _can_be_asked(texts: Sequence[str]) -> bool:
    return all(selectors.sendable(text) for text in texts)


def _with_bookmark(changes: Iterator[Change]) -> Iterator[Change]:
    """Follow one object: Omni tells first how it is (``deleted`` when it is not there), and sends no bookmark then."""
    for change in changes:
        if change.kind == "added":
            yield change
        yield Change("bookmark")
        break
    yield from (change for change in changes if change.kind != "bookmark")


def _change(event: WatchEvent | CachedObjectEvent) -> Change:
    if event is IDLE:
        return _NOTHING
    if event.kind == "bootstrapped":
        return Change("bookmark")
    return Change(_KINDS[event.kind], resource_in(event))
