"""The adapter of objects in the gateway's own store; a write takes effect at once in every worker and replica."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Change, Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.computed import CallAdapter
from omni_gateway.rest.errors import NotFound, StaleVersion
from omni_gateway.rest.field_errors import FieldErrors
from omni_gateway.rest.select import select
from omni_gateway.store import CollectionFull, Document
from omni_gateway.store.text import storable, unstorable
from omni_gateway.watch.polling import polling_watch

NAMESPACE = "gateway"
#: What the database sorts by.
_COLUMNS = frozenset({"id", "version", "created", "updated"})
MAX_OBJECTS = 10_000


class StoredResourceAdapter(CallAdapter):
    """Adapter for one ``collection`` of the store.

    The database selects, sorts and cuts a list by the id and the metadata. For label selectors, and sort keys of the
    spec, the labels and these keys of all objects are read, and then the objects of the page. A watch reads the
    versions of all objects once a second, and the objects that have changed.

    :param sortable: names of spec members to sort lists by.
    :param max_objects: how many objects the collection may have; more are refused (422).
    """

    authorized_by_omni = False
    namespace = NAMESPACE

    def __init__(
        self, collection: str, *, sortable: frozenset[str] = frozenset(), max_objects: int = MAX_OBJECTS
    ) -> None:
        self.type = self.collection = collection
        self.sortable = sortable
        self.max_objects = max_objects

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every object of the collection.

        Lists and watches of a subclass that overrides it are made of what it returns.
        """
        return [self._resource(document) for document in self.store.documents.list(self.collection)]

    def list(self, query: ListQuery) -> Listing:
        """Return the page that matches the query. Raises 422 for a sort key that is not sortable."""
        if self._overrides_items:
            return super().list(query)
        keys = {name for name, _ in query.sort}
        if not storable(query.search):
            return Listing([], 0)
        if query.selector is None and keys <= _COLUMNS:
            documents, total = self.store.documents.page(
                self.collection, search=query.search, sort=query.sort, offset=query.offset, limit=query.limit
            )
            return Listing([self._resource(each) for each in documents], total)
        selected = select(self._partial_objects(query, keys), query, self.sortable)
        found = self._named([each.id for each in selected.items])
        return Listing([found[each.id] for each in selected.items if each.id in found], selected.total)

    def _partial_objects(self, query: ListQuery, keys: Collection[str]) -> Iterator[Resource]:
        """Yield the objects with only their labels and the members that the list is sorted by."""
        columns, spec = ["id", "labels", *sorted(_COLUMNS & set(keys) - {"id"})], sorted(self.sortable & set(keys))
        for row in self.store.documents.members(self.collection, columns, spec, search=query.search):
            values = dict(zip([*columns, *spec], row, strict=True))
            yield Resource(values["id"], values, values["labels"], **{name: values[name] for name in columns[2:]})

    def polled(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Return a watch that reads versions every second, and the objects whose version is another one."""
        if self._overrides_items:
            return super().polled(query, id)
        if id:
            return polling_watch(lambda: list(self._named([id]).values()))
        versions: dict[str, Any] = {}
        known: dict[str, Resource] = {}

        def read() -> Sequence[Resource]:
            rows = self.store.documents.members(self.collection, ["id", "version", "created"], search=query.search)
            present = {id: version for id, *version in rows}
            for id in versions.keys() - present.keys():
                known.pop(id, None)
            changed = [id for id, version in present.items() if versions.get(id) != version]
            for id, resource in self._named(changed).items():
                known.pop(id, None)
                if query.selector is None or query.selector.matches(resource.labels):
                    known[id] = resource
            versions.clear()
            versions.update(present)
            return list(known.values())

        return polling_watch(read)

    @property
    def _overrides_items(self) -> bool:
        return type(self).items is not StoredResourceAdapter.items

    def _named(self, ids: Sequence[str]) -> dict[str, Resource]:
        return {each.id: self._resource(each) for each in self.store.documents.named(self.collection, ids)}

    def get(self, id: str) -> Resource:
        """Return one object. Raises :class:`NotFound` if there is none."""
        document = self.store.documents.find(self.collection, id)
        if document is None:
            raise NotFound(id)
        return self._resource(document)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for text that a database cannot store (NUL), and for a new object in a full collection."""
        wanted = {"id": resource.id, **resource.spec, "labels": resource.labels, "annotations": resource.annotations}
        field_errors = FieldErrors()
        for path in unstorable(wanted):
            field_errors.add(path, "Has a NUL character, which cannot be stored.")
        field_errors.raise_if_any()
        if existing is None and self.store.documents.count(self.collection) >= self.max_objects:
            raise self._full()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        """Create the object. Raises 409 for an id, and 422 for a room, that another request has taken meanwhile."""
        try:
            created = self.store.documents.create(
                self.collection,
                resource.id,
                resource.spec,
                resource.labels,
                resource.annotations,
                self.max_objects,
            )
        except CollectionFull:
            raise self._full() from None
        if not created:
            raise Problem(409, "exists", f"Object {resource.id!r} exists already.")

    def replace(self, resource: Resource) -> None:
        """Write the object if ``resource.version`` is current. Raises :class:`StaleVersion` if it is not."""
        written = self.store.documents.replace(
            self.collection, resource.id, resource.version, resource.spec, resource.labels, resource.annotations
        )
        if not written:
            raise StaleVersion(resource.id)

    def delete(self, resource: Resource) -> None:
        """Remove the object if ``resource.version`` is current. Raises :class:`StaleVersion` if it is not."""
        if not self.store.documents.delete(self.collection, resource.id, resource.version):
            raise StaleVersion(resource.id)

    def _full(self) -> Problem:
        return Problem(
            422, "validation", errors={"id": [f"There are {self.max_objects} objects already, the maximum."]}
        )

    def _resource(self, document: Document) -> Resource:
        return Resource(
            document.id,
            dict(document.spec),
            dict(document.labels),
            dict(document.annotations),
            namespace=self.namespace,
            type=self.type,
            version=document.version,
            created=_text(document.created),
            updated=_text(document.updated),
        )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
