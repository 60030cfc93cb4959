"""The adapter of objects that Omni returns all at once from calls of its own: accounts, users, catalogues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.model.query import Listing, ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.errors import NotFound
from omni_gateway.rest.field_errors import FieldErrors
from omni_gateway.rest.select import select


class CallAdapter(ResourceAdapter):
    """Adapter for the objects that ``items`` returns; they have no labels and no annotations.

    A subclass implements ``items``; list, get and watch use it. ``sortable`` names spec members to sort lists by.
    """

    authorized_by_omni = True
    sortable: frozenset[str] = frozenset()

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every object that matches ``filters``, the values of the plugin's own filters (empty: all)."""
        raise NotImplementedError

    def canonical(self, id: str) -> str:
        """Return the canonical form of an id, e.g. in lower case; the default returns it unchanged."""
        return id

    def list(self, query: ListQuery) -> Listing:
        """Return the page of ``items`` that matches the query. Raises 422 for a sort key that is not sortable."""
        return select(self.items(query.filters), query, self.sortable)

    def get(self, id: str) -> Resource:
        """Return one object. Raises :class:`NotFound` if there is none."""
        wanted = self.canonical(id)
        for item in self.items({}):
            if item.id == wanted:
                return item
        raise NotFound(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for labels and annotations, which Omni does not store for these objects."""
        field_errors = FieldErrors()
        for name in ("labels", "annotations"):
            if getattr(resource, name):
                field_errors.add(name, "Omni stores none for these objects.")
        field_errors.raise_if_any()
        resource.id = self.canonical(resource.id)
