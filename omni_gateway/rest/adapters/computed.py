"""The adapter of what Omni tells by calls of its own, whole: accounts, users, catalogues put together."""

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
    """Serve the objects that ``items`` returns; such objects take no labels and no annotations.

    A subclass gives ``items``; list, get and watch follow from it. ``sortable`` names members of the specs.
    """

    authorized_by_omni = True
    sortable: frozenset[str] = frozenset()

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return every object that the plugin's own filters let through."""
        raise NotImplementedError

    def canonical(self, id: str) -> str:
        """Return the id under which the object of this name is kept; the default: the name itself."""
        return id

    def list(self, query: ListQuery) -> Listing:
        """Answer from all that there is."""
        return select(self.items(query.filters), query, self.sortable)

    def get(self, id: str) -> Resource:
        """Return one object; :class:`NotFound` when there is none."""
        wanted = self.canonical(id)
        for item in self.items({}):
            if item.id == wanted:
                return item
        raise NotFound(id)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse (422) labels and annotations: Omni has no place for them."""
        refusals = FieldErrors()
        for name in ("labels", "annotations"):
            if getattr(resource, name):
                refusals.add(name, "Omni keeps none for these objects.")
        refusals.raise_if_any()
        resource.id = self.canonical(resource.id)
