"""The types that views and adapters exchange: the list query, the page, the change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from omni_gateway.model.id_pattern import IdPattern
from omni_gateway.model.resource import Resource
from omni_gateway.omni.selectors import Selector

ChangeKind = Literal["added", "modified", "deleted", "bookmark"]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of a list or a watch; an adapter must apply all of it but ``id_matches`` and ``conditions``.

    :param selector: the label selector; None selects all.
    :param search: text to find in the id; empty for all.
    :param sort: (field, descending) pairs; the id is always the last key.
    :param offset: number of objects to skip, after selection and sorting.
    :param limit: number of objects to return; 0 means all.
    :param filters: the plugin's own query parameters that are not label selectors, by name.
    :param id_matches: the pattern of ids; None for all. The views apply it to the objects of an adapter, whose ``list``
        then gets neither offset nor limit; an adapter that can read less by it may use it too.
    :param conditions: ``Filter.matches`` and the value, of each filter that has it; applied in the same way. The values
        are in ``filters`` too.
    """

    selector: Selector | None = None
    search: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    offset: int = 0
    limit: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)
    id_matches: IdPattern | None = None
    conditions: tuple[tuple[Callable[[Resource, Any], bool], Any], ...] = ()

    def page_of(self, items: list[Resource]) -> list[Resource]:
        """Return the page of all selected and sorted objects: those from ``offset`` on, ``limit`` at most."""
        return items[self.offset : self.offset + self.limit if self.limit else None]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of objects and the number of all matching ones (``total``)."""

    items: Sequence[Resource]
    total: int


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch: an object that was added, modified or deleted, or the bookmark after the present objects.

    A bookmark has no ``resource``.
    """

    kind: ChangeKind
    resource: Resource | None = None
