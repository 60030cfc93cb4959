"""Options and result of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from omni_gateway.omni import rpcs
from omni_gateway.omni.calls import parsed


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The options of a list; see :meth:`omni_gateway.omni.resources.ResourceClient.list`."""

    type: str
    namespace: str
    offset: int
    limit: int
    sort_by: str
    descending: bool
    search: Sequence[str]
    selectors: Sequence[str]

    @property
    def whole(self) -> bool:
        """Return whether the list has no selectors and starts at the first object of the type."""
        return not self.selectors and self.offset == 0

    @property
    def every(self) -> bool:
        """Return whether the list is of all objects of the type."""
        return self.whole and self.limit <= 0 and not self.search


class ListResult:
    """One page of objects as Omni's JSON texts, and how many matched in all; ``items`` are the texts, parsed."""

    def __init__(self, texts: Sequence[str], total: int) -> None:
        self.texts = texts
        self.total = total

    @cached_property
    def items(self) -> list[dict[str, Any]]:
        """Return the objects, parsed on first use."""
        return [parsed(rpcs.LIST.name, text) for text in self.texts]
