"""The adapter of objects in the gateway's own store; a write takes effect at once in every worker and replica."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.computed import CallAdapter
from omni_gateway.rest.errors import NotFound, StaleVersion
from omni_gateway.rest.field_errors import FieldErrors
from omni_gateway.store import Document
from omni_gateway.store.text import unstorable

NAMESPACE = "gateway"
MAX_OBJECTS = 1000


class StoredResourceAdapter(CallAdapter):
    """Adapter for one ``collection`` of the store.

    A collection has at most ``MAX_OBJECTS`` objects, since every list reads all of them. ``sortable`` names spec
    members to sort lists by.
    """

    authorized_by_omni = False
    namespace = NAMESPACE

    def __init__(self, collection: str, *, sortable: frozenset[str] = frozenset()) -> None:
        self.type = self.collection = collection
        self.sortable = sortable

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every object of the collection."""
        return [self._resource(document) for document in self.store.documents.list(self.collection)]

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
        if existing is None and len(self.store.documents.list(self.collection)) >= MAX_OBJECTS:
            field_errors.add("id", f"There are {MAX_OBJECTS} objects already, the maximum.")
            field_errors.raise_if_any()

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        """Create the object. Raises 409 if another request has created one of this id in the meantime."""
        created = self.store.documents.create(
            self.collection, resource.id, resource.spec, resource.labels, resource.annotations
        )
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
