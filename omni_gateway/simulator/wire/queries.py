"""The query of a list or a watch: selectors, search, order and page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from omni_gateway.simulator.errors import Unknown
from omni_gateway.simulator.selectors import label_selector
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.wire import resource_json

Check = Callable[[Resource], bool]


def matcher(labels: Iterable[str], search: Sequence[str]) -> Check | None:
    """Return a predicate of objects by label selectors and by parts of the id; None if all match."""
    try:
        by_labels = label_selector.any_of(labels)
    except label_selector.SelectorError as error:
        raise Unknown(str(error)) from None
    wanted = [text for text in search if text]
    if by_labels is None and not wanted:
        return None

    def matches(res: Resource) -> bool:
        if by_labels is not None and not by_labels(res.labels):
            return False
        return not wanted or any(text in res.id for text in wanted)

    return matches


@dataclass(frozen=True)
class Page:
    """The order and the part of a list; a limit of 0 or less means all."""

    offset: int = 0
    limit: int = 0
    sort_by: str = ""
    descending: bool = False

    def of(self, found: Sequence[Resource]) -> Sequence[Resource]:
        """Return the page of the found objects, in order; :class:`Unknown` on a field that one of them lacks."""
        ordered = self._ordered(found)
        start = max(self.offset, 0)
        return ordered[start : start + self.limit] if self.limit > 0 else ordered[start:]

    def _ordered(self, found: Sequence[Resource]) -> Sequence[Resource]:
        if not self.sort_by or self.sort_by == "id":
            return list(reversed(found)) if self.sort_by and self.descending else found
        try:
            return sorted(found, key=self._key, reverse=self.descending)
        except (TypeError, KeyError, AttributeError):
            raise Unknown(f"the objects cannot be sorted by {self.sort_by!r}") from None

    def _key(self, res: Resource) -> Any:
        if self.sort_by in ("created", "updated"):
            moment = getattr(res, self.sort_by)
            return 0.0 if moment is None else moment.timestamp()
        if self.sort_by == "version":
            return res.version
        value: Any = resource_json.spec(res)
        for name in self.sort_by.split("."):
            value = value[name]
        return value
