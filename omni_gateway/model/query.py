"""The types that views and adapters exchange: the list query, the page, the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from omni_gateway.model.resource import Resource
from omni_gateway.omni.selectors import Selector

ChangeKind = Literal["added", "modified", "deleted", "bookmark", "idle"]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of a list or a watch; an adapter must apply all of it.

    :param selector: the label selector; None selects all.
    :param search: text to find in the id; empty for all.
    :param sort: (field, descending) pairs; the id is always the last key.
    :param offset: number of objects to skip, after selection and sorting.
    :param limit: number of objects to return; 0 means all.
    :param filters: the plugin's own query parameters that are not label selectors, by name.
    """

    selector: Selector | None = None
    search: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    offset: int = 0
    limit: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of objects and the number of all matching ones (``total``)."""

    items: Sequence[Resource]
    total: int


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch: an object that was added, modified or deleted, or the bookmark after the present objects.

    ``idle`` is yielded by a non-blocking watch (:class:`Fed`) if there is no event. Both it and a bookmark have no
    ``resource``.
    """

    kind: ChangeKind
    resource: Resource | None = None


class Pushed(Protocol):
    """A source of events that notifies its reader."""

    def told_by(self, wake: Callable[[], None]) -> None:
        """Become non-blocking: call ``wake`` on each event, from any thread. ``wake`` must return quickly."""


class Fed(Iterator[Change]):
    """Changes from the cache. Blocking, until :meth:`told_by` is called; then it yields ``idle`` instead of waiting."""

    def __init__(self, changes: Iterator[Change], source: Pushed) -> None:
        self._changes = changes
        self._source = source

    def told_by(self, wake: Callable[[], None]) -> None:
        """Become non-blocking: ``wake`` is called on each event, from any thread, and must return quickly."""
        self._source.told_by(wake)

    def through(self, step: Callable[[Iterator[Change]], Iterator[Change]]) -> Fed:
        """Return the changes transformed by ``step``, which must pass ``idle`` on."""
        return Fed(step(self._changes), self._source)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change:
        return next(self._changes)


def through(step: Callable[[Iterator[Change]], Iterator[Change]], changes: Iterator[Change]) -> Iterator[Change]:
    """Return ``step(changes)``, still a :class:`Fed` if ``changes`` is one.

    ``step`` must pass changes without an object on.
    """
    return changes.through(step) if isinstance(changes, Fed) else step(changes)
