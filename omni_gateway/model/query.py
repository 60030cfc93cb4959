"""What passes between a view and an adapter: the question, the page, the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from omni_gateway.model.resource import Resource
from omni_gateway.omni.selectors import Selector

ChangeKind = Literal["added", "modified", "deleted", "bookmark", "idle"]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list or a watch asks for; an adapter answers it whole.

    ``offset`` and ``limit`` count objects after selection and sorting; ``limit`` 0 means all.
    ``sort`` holds (field, descending) pairs; ``id`` is always the last key.
    ``filters`` holds the plugin's own query parameters that are no label selector.
    """

    selector: Selector | None = None
    search: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    offset: int = 0
    limit: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of objects and how many matched in all.

    ``source``: what is the same object for as long as all of that is the same, where there is such a thing.
    """

    items: Sequence[Resource]
    total: int
    source: object | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a watch: an object that came, changed or went; or the bookmark after the present objects.

    ``idle`` comes from a watch that does not wait (:class:`Fed`) where there is nothing to tell.
    """

    kind: ChangeKind
    resource: Resource | None = None


class Pushed(Protocol):
    """What tells when there is something to read."""

    def told_by(self, wake: Callable[[], None]) -> None:
        """Wait no more; ``wake`` is called from any thread, and has to be quick."""


class Fed(Iterator[Change]):
    """Changes from the gateway's own memory: once :meth:`told_by` was called, they say ``idle`` where others wait."""

    def __init__(self, changes: Iterator[Change], source: Pushed) -> None:
        self._changes = changes
        self._source = source

    def told_by(self, wake: Callable[[], None]) -> None:
        """Wait no more; ``wake`` is called from any thread, and has to be quick."""
        self._source.told_by(wake)

    def through(self, step: Callable[[Iterator[Change]], Iterator[Change]]) -> Fed:
        """Return the same after a step that lets ``idle`` pass."""
        return Fed(step(self._changes), self._source)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change:
        return next(self._changes)


def through(step: Callable[[Iterator[Change]], Iterator[Change]], changes: Iterator[Change]) -> Iterator[Change]:
    """Return changes after a step that lets what has no object pass; they go on to be fed, if they are."""
    return changes.through(step) if isinstance(changes, Fed) else step(changes)
