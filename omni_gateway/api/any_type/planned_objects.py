"""Objects that a request is still to create, seen as if Omni had them: for checks of what refers to them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from omni_gateway.model.resource import Resource
from omni_gateway.omni import ListResult, OmniClient, selectors
from omni_gateway.omni.errors import NotFound
from omni_gateway.omni.resources import ResourceClient

Planned = Mapping[tuple[str, str], Resource]


class PlannedResources:
    """Omni's objects with planned ones over them; reads only.

    What was read is kept: a thousand nodes of one cluster ask for that cluster once.
    """

    def __init__(self, omni: ResourceClient, planned: Planned) -> None:
        self._omni = omni
        self._planned = planned
        self._kept: dict[tuple[str, str, str | None], dict[str, Any] | NotFound] = {}

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object; ``NotFound`` when there is and will be none."""
        if (planned := self._planned.get((str(type), id))) is not None:
            return planned.to_omni()
        key = (str(type), id, namespace)
        if key not in self._kept:
            try:
                self._kept[key] = self._omni.get(type, id, namespace)
            except NotFound as error:
                self._kept[key] = error
        found = self._kept[key]
        if isinstance(found, NotFound):
            raise found
        return found

    def list(
        self, type: str, namespace: str | None = None, *, selectors: Sequence[str] = (), **rest: Any
    ) -> ListResult:
        """Return the objects of a type that the selectors choose."""
        page = self._omni.list(type, namespace, selectors=selectors, **rest)
        new = {id: item for (name, id), item in self._planned.items() if name == str(type)}
        if not new:
            return page
        kept = [text for text, item in zip(page.texts, page.items, strict=True) if item["metadata"]["id"] not in new]
        chosen = [orjson.dumps(item.to_omni()).decode() for item in new.values() if _matches(item, selectors)]
        return ListResult([*kept, *chosen], len(kept) + len(chosen))


def _matches(resource: Resource, texts: Sequence[str]) -> bool:
    return not texts or any(selectors.parse(text).matches(resource.labels) for text in texts)


def with_planned(omni: OmniClient, planned: Planned) -> OmniClient:
    """Return a client whose reads of objects find the planned ones too."""
    other = copy.copy(omni)
    other._owns_holder = False
    other.resources = PlannedResources(omni.resources, planned)  # type: ignore[assignment]
    return other
