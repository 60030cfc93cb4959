"""List queries over objects in memory: select, search, sort, page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from omni_gateway.http.problems import Problem
from omni_gateway.model.query import Listing, ListQuery
from omni_gateway.model.resource import Resource

METADATA_SORTS = frozenset({"created", "updated", "version", "owner"})


def select(items: Iterable[Resource], query: ListQuery, sortable: frozenset[str]) -> Listing:
    """Return the page of ``items`` for ``query``: label selector, search text in the id, sort keys, offset and limit.

    Apply the plugin's own filters (``query.filters``) before. Raises as :func:`sort_and_cut`.
    """
    selected = [
        item
        for item in items
        if (query.selector is None or query.selector.matches(item.labels)) and query.search in item.id
    ]
    return Listing(sort_and_cut(selected, query, sortable), len(selected))


def sort_and_cut(items: Sequence[Resource], query: ListQuery, sortable: frozenset[str]) -> list[Resource]:
    """Return a page of ``items``, sorted by the query's keys and then by id; objects without a value come first.

    ``sortable`` names the spec members to sort by. Raises a ``validation`` problem (422) that lists the sortable fields
    for another key.
    """
    # Stable sorts by the keys in reverse order leave the id as the last key.
    ordered = sorted(items, key=lambda item: item.id)
    for name, descending in reversed(query.sort):
        if name not in METADATA_SORTS | sortable | {"id"}:
            known = ", ".join(sorted(METADATA_SORTS | sortable | {"id"}))
            raise Problem(422, "validation", errors={"sort": [f"Cannot sort by {name!r}; sortable fields: {known}."]})
        ordered.sort(key=lambda item, name=name: _sort_key(item, name), reverse=descending)  # type: ignore[misc]
    return query.page_of(ordered)


def _sort_key(item: Resource, name: str) -> tuple[int, Any]:
    value = getattr(item, name) if name in METADATA_SORTS or name == "id" else item.member(name)
    if value is None:
        return (0, "")
    return (1, value if isinstance(value, (int, float)) else str(value))
