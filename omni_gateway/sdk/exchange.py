"""What passes between a view and an adapter: the question, the page, the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from omni_gateway.omni.selectors import Selector
from omni_gateway.sdk.resource import Resource

ChangeKind = Literal["added", "modified", "deleted", "bookmark"]


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
    """One page of objects and how many matched in all."""

    items: Sequence[Resource]
    total: int


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a watch: an object that came, changed or went; or the bookmark after the present objects."""

    kind: ChangeKind
    resource: Resource | None = None
