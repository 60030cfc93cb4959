"""Filters of lists, watches and bulk requests: a query parameter that selects objects.

A plugin declares its own (:class:`Filter`); every resource has ``id_matches``. A filter that is a label selector
becomes part of the query's selector, so that Omni selects. The others are applied here, to the adapter's objects.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import selectors
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.watch.source import View, WatchSource

#: A filter's value becomes part of a label selector, where these characters are syntax.
_PLAIN = [
    validate.Length(min=1, max=1024),
    validate.Regexp(r"[^\s,()=!<>]*\Z", error="Must not hold spaces or any of , ( ) = ! < >."),
]


def _text() -> fields.Field[Any]:
    return fields.String(validate=_PLAIN)


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter of one resource's list, which selects the same objects for its watch and for bulk requests.

    :param name: the parameter's name.
    :param description: its description in the OpenAPI document.
    :param selector: returns label-selector text for a value, by which Omni selects; see :func:`label_filter`.
    :param field: the marshmallow field that validates the value.
    :param names_machine: whether the value is a machine's id, in whose place its host name may be.
    :param matches: ``matches(resource, value)`` returns whether an object has the value. The engine calls it with each
        object that the adapter returns, outside of the request; the result must depend on the arguments alone. See
        :func:`member_filter`.

    With neither ``selector`` nor ``matches``, the adapter selects by the value in ``ListQuery.filters``. Raises
    ``ValueError`` for both.
    """

    name: str
    description: str
    selector: Callable[[Any], str] | None = None
    field: fields.Field[Any] = field(default_factory=_text)
    names_machine: bool = False
    matches: Callable[[Resource, Any], bool] | None = None

    def __post_init__(self) -> None:
        if self.selector is not None and self.matches is not None:
            raise ValueError(f"The filter {self.name!r} has both a selector and matches; one of them selects.")


def label_filter(name: str, label: str, description: str = "", *, names_machine: bool = False) -> Filter:
    """Return a filter that selects the objects whose ``label`` has the given value: ``?cluster=c1``.

    Omni selects by labels and sends fewer objects: prefer it to :func:`member_filter` where every object has the label.
    """
    text = description or f"Only those of this {name}"
    return Filter(name, text, lambda value: f"{label}={selectors.quoted(value)}", names_machine=names_machine)


def member_filter(name: str, description: str, field: fields.Field[Any] | None = None, *, member: str = "") -> Filter:
    """Return a filter that selects the objects whose spec has the given value in a member: ``?connected=true``.

    :param field: the marshmallow field that validates the value; by default text.
    :param member: the member's name; by default that of the filter. A member that is not set counts as false, 0 and
        empty text, which Omni leaves out.
    """

    def matches(resource: Resource, value: Any) -> bool:
        found = resource.member(member or name)
        return bool(found == value) if found is not None else not value

    return Filter(name, description, field=field or _text(), matches=matches)


def id_filter(name: str, description: str = "") -> Filter:
    """Return a filter that selects the object with the id of a ``name``; the adapter needs ``id_filter=name`` too."""
    return Filter(name, description or f"Only that of this {name}", names_machine=name == "machine")


def filter_fields(filters: Sequence[Filter]) -> dict[str, fields.Field[Any]]:
    """Return the fields of a resource's own filters, for a query schema."""
    return {item.name: _documented(item) for item in filters}


def _documented(item: Filter) -> fields.Field[Any]:
    """Return a filter's field with its description; a copy, since two resources may share a filter."""
    own = copy.deepcopy(item.field)
    name = "; its id, or its host name if only one machine has it" if item.names_machine else ""
    own.metadata = {**own.metadata, "description": item.description + name}
    return own


def filtered_list(adapter: ResourceAdapter, query: ListQuery) -> Listing:
    """Return the page of an adapter's objects that the whole query selects."""
    if not _filters_here(query):
        return adapter.list(query)
    everything = adapter.list(replace(query, offset=0, limit=0)).items
    found = Context().run(lambda: [item for item in everything if _selects(query, item)])
    return Listing(query.page_of(found), len(found))


def filtered_source(adapter: ResourceAdapter, query: ListQuery, id: str) -> WatchSource | None:
    """Return the source of a watch of the whole query, as ``adapter.watch_source`` does."""
    source = adapter.watch_source(query, id)
    return source if source is None or not _filters_here(query) else _FilteredSource(source, query)


@contextmanager
def filtered_watch(adapter: ResourceAdapter, query: ListQuery, id: str) -> Iterator[Iterator[Change]]:
    """Watch the whole query, as ``adapter.watch`` does."""
    with adapter.watch(query, id) as changes:
        yield _filtered_changes(query, changes) if _filters_here(query) else changes


def _filters_here(query: ListQuery) -> bool:
    return query.id_matches is not None or bool(query.conditions)


def _selects(query: ListQuery, item: Resource) -> bool:
    return _selects_id(query, item.id) and _meets_conditions(query, item)


def _selects_id(query: ListQuery, id: str) -> bool:
    return query.id_matches is None or query.id_matches.matches(id)


def _meets_conditions(query: ListQuery, item: Resource) -> bool:
    return all(matches(item, value) for matches, value in query.conditions)


def _filtered_changes(query: ListQuery, changes: Iterator[Change]) -> Iterator[Change]:
    """Yield the changes of selected objects: one that is selected from now on is added, one no longer is deleted."""
    shown: dict[str, Resource] = {}
    for change in changes:
        item = change.resource
        if item is None:
            yield change
            continue
        before = shown.pop(item.id, None)
        if change.kind == "deleted":
            if before is not None:
                yield change
        elif Context().run(_selects, query, item):
            shown[item.id] = item
            yield change if before is not None else Change("added", item)
        elif before is not None:
            yield Change("deleted", before)


class _FilteredSource(WatchSource):
    """The objects of another source that the query's filters select."""

    def __init__(self, source: WatchSource, query: ListQuery) -> None:
        self._source = source
        self._query = query
        self.triggers, self.lookups = source.triggers, source.lookups
        self.from_informers = source.from_informers

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        """Return the ids of the objects that an event may have changed; others than ``id_matches`` are not built."""
        return [id for id in self._source.affected(type, old, new) if _selects_id(self._query, id)]

    def ids(self, view: View) -> Iterable[str]:
        """Return the ids of all objects; others than ``id_matches`` are not built."""
        return [id for id in self._source.ids(view) if _selects_id(self._query, id)]

    def build(self, view: View, id: str) -> Resource | None:
        """Return an object as the other source builds it; None if the filters do not select it."""
        item = self._source.build(view, id)
        # Not in this class's `matches`: an object that leaves the selection is sent as it was last selected.
        return item if item is not None and Context().run(_meets_conditions, self._query, item) else None

    def matches(self, resource: Resource) -> bool:
        """Return whether the rest of the query selects an object."""
        return self._source.matches(resource)

    def owner(self, view: View, resource: Resource) -> str | None:
        """Return the cluster that an object belongs to."""
        return self._source.owner(view, resource)
