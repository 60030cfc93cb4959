"""How the objects that a watch shows follow from Omni's objects: an adapter's part of a watch, and what is made of it.

An adapter that gives a :class:`WatchSource` iterates over nothing and starts no thread. Where informers hold all types
that the source names, watches are served from them; otherwise each watch reads streams of its own, by the same source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import InformerEvent
from omni_gateway.cache.informer_events import InformerEvents
from omni_gateway.model.omni_objects import resource_of
from omni_gateway.model.query import Change
from omni_gateway.model.resource import Resource
from omni_gateway.omni.selectors import Selector, Term
from omni_gateway.omni.types import namespace_of
from omni_gateway.watch.resume_token import ResumePoint, digest_of


class View(Protocol):
    """Omni's objects as they were after one event; all of them are shared, so never change them in place."""

    def get(self, type: str, id: str) -> Resource | None:
        """Return an object; None if there is none."""

    def labelled(self, type: str, label: str, value: str) -> Sequence[Resource]:
        """Return the objects whose ``label`` has this value, ordered by id."""

    def all(self, type: str) -> Sequence[Resource]:
        """Return all objects of a type, ordered by id."""


@dataclass(frozen=True, slots=True)
class WatchedType:
    """A type of Omni's that a source reads.

    ``namespace`` is by default the type's own. ``id``, ``selectors`` and ``search`` narrow a stream that Omni serves to
    the objects that matter; an informer has all objects of its type.
    """

    type: str
    namespace: str = ""
    id: str = ""
    selectors: Sequence[str] = ()
    search: Sequence[str] = ()

    @property
    def place(self) -> str:
        """The namespace of the objects."""
        return self.namespace or namespace_of(self.type)


class WatchSource:
    """Base class: made for one watch, by :meth:`ResourceAdapter.watch_source`.

    Methods depend on their arguments alone and do no I/O: they are called for each event of each watch, with locks
    held. What they read, they read from ``view``.
    """

    #: The types that objects are built of: an event of theirs can change what the watch shows.
    triggers: Sequence[WatchedType] = ()
    #: Further types that :meth:`owner` reads. Their events are not looked at.
    lookups: Sequence[WatchedType] = ()
    #: False if informers cannot serve the watch, such as for a search whose rules only Omni knows.
    from_informers: bool = True

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        """Return the ids of the objects that an event of Omni's may have changed.

        ``old``: Omni's object before the event; None if it was created. ``new``: after it; None if it was deleted.
        """
        raise NotImplementedError

    def ids(self, view: View) -> Iterable[str]:
        """Return the ids of all objects that the watch may show, in their order."""
        raise NotImplementedError

    def build(self, view: View, id: str) -> Resource | None:
        """Return an object as the watch shows it; None if there is none."""
        raise NotImplementedError

    def matches(self, resource: Resource) -> bool:
        """Return True if the watch's query selects an object; by default it selects all."""
        return True

    def owner(self, view: View, resource: Resource) -> str | None:
        """Return the cluster that an object belongs to, as :meth:`ResourceAdapter.cluster_of` does.

        Called for callers restricted to some clusters.
        """
        raise NotImplementedError


class InformerView:
    """The objects of informers, as of the last event that was taken of them."""

    def __init__(self, events: InformerEvents) -> None:
        self._events = events

    def get(self, type: str, id: str) -> Resource | None:
        """Return an object; None if there is none."""
        item = self._events.find(type, id)
        return None if item is None else resource_of(item)

    def labelled(self, type: str, label: str, value: str) -> Sequence[Resource]:
        """Return the objects whose ``label`` has this value, ordered by id."""
        return [resource_of(item) for item in self._events.items(type, Selector((Term(label, "=", (value,)),)))]

    def all(self, type: str) -> Sequence[Resource]:
        """Return all objects of a type, ordered by id."""
        return [resource_of(item) for item in self._events.items(type)]


class _WithObject:
    """A view in which one more object can be got: one that the last event has deleted."""

    def __init__(self, view: View, type: str, item: CachedObject) -> None:
        self._key = (type, item.id)
        self._resource = resource_of(item)
        self._get = view.get
        self.labelled, self.all = view.labelled, view.all

    def get(self, type: str, id: str) -> Resource | None:
        """Return an object; None if there is none."""
        return self._resource if (type, id) == self._key else self._get(type, id)


class ShownObjects:
    """The objects that one watch shows: ``present``, by id, their resume ``point``, and the changes that events make.

    ``readable`` returns True if the caller may read the objects of a cluster; without it, all are readable.
    """

    def __init__(self, source: WatchSource, view: View, readable: Callable[[str], bool] | None = None) -> None:
        self._source = source
        self._view = view
        self._readable = readable
        self.present: dict[str, Resource] = {}
        self.point = ResumePoint()

    def begin(self) -> None:
        """Build all objects; called once, before the first event."""
        for id in self._source.ids(self._view):
            resource = self._source.build(self._view, id)
            if resource is not None and self._shows(resource):
                self.present[id] = resource
        self.point = ResumePoint.of(self.present.values())

    def apply(self, type: str, event: InformerEvent) -> Iterator[Change]:
        """Yield the changes that an event makes, ``point`` being as of each; the view is as of this event."""
        kind, item, previous = event
        gone = item if kind == "destroyed" else None
        new = None if gone is not None else resource_of(item)
        old = None if previous is None else resource_of(previous)
        for id in dict.fromkeys(self._source.affected(type, old, new)):
            resource = self._source.build(self._view, id)
            if resource is not None and self._shows(resource):
                change = self._put(resource)
            else:
                change = self._remove(id, resource, type, gone)
            if change is not None:
                yield change

    def _put(self, resource: Resource) -> Change | None:
        digest = digest_of(resource)
        before = self.present.get(resource.id)
        self.present[resource.id] = resource
        if before is None:
            self.point = self.point.plus(digest)
            return Change("added", resource)
        if digest_of(before).state == digest.state:
            # Of a joined object, an event may have changed nothing that is shown.
            return None
        self.point = self.point.minus(digest_of(before)).plus(digest)
        return Change("modified", resource)

    def _remove(self, id: str, resource: Resource | None, type: str, gone: CachedObject | None) -> Change | None:
        """Remove an object that is not shown any more; ``gone``: the object of Omni's that the event has deleted."""
        before = self.present.pop(id, None)
        if before is None:
            return None
        self.point = self.point.minus(digest_of(before))
        last = resource
        if last is None and gone is not None:
            last = self._source.build(_WithObject(self._view, type, gone), id)
        last = before if last is None else last
        # Content that the object has got with another cluster is not the caller's to read.
        return Change("deleted", last if self._may_read(last) else without_content(last))

    def _shows(self, resource: Resource) -> bool:
        return self._source.matches(resource) and self._may_read(resource)

    def _may_read(self, resource: Resource) -> bool:
        if self._readable is None:
            return True
        cluster = self._source.owner(self._view, resource)
        return not cluster or self._readable(cluster)


def without_content(resource: Resource) -> Resource:
    """Return only the identity of an object that a caller may not read any more."""
    return Resource(resource.id, namespace=resource.namespace, type=resource.type, version=resource.version)
