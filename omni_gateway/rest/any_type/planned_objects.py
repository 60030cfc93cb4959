"""A client that also finds the objects that a request will create, for checks of objects that refer to them."""

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
    """Reads Omni's objects, overlaid with planned ones.

    Single objects are cached, for the length of one request: a thousand nodes of a cluster read that cluster once.
    """

    def __init__(self, omni: ResourceClient, planned: Planned) -> None:
        self._omni = omni
        self._planned = planned
        self._cached: dict[tuple[str, str, str | None], dict[str, Any] | NotFound] = {}

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object. Raises ``NotFound`` if it neither exists nor is planned."""
        if (planned := self._planned.get((str(type), id))) is not None:
            return planned.to_omni()
        key = (str(type), id, namespace)
        if key not in self._cached:
            try:
                self._cached[key] = self._omni.get(type, id, namespace)
            except NotFound as error:
                self._cached[key] = error
        found = self._cached[key]
        if isinstance(found, NotFound):
            raise found
        return found

    def list(
        self, type: str, namespace: str | None = None, *, selectors: Sequence[str] = (), **rest: Any
    ) -> ListResult:
        """Return the objects of a type that match one of the selectors.

        A page has all that are planned too. Its total counts those of them twice that Omni has on another page.
        """
        page = self._omni.list(type, namespace, selectors=selectors, **rest)
        new = {id: item for (name, id), item in self._planned.items() if name == str(type)}
        if not new:
            return page
        present = [text for text, item in zip(page.texts, page.items, strict=True) if item["metadata"]["id"] not in new]
        planned = [orjson.dumps(item.to_omni()).decode() for item in new.values() if _matches(item, selectors)]
        return ListResult([*present, *planned], page.total - (len(page.texts) - len(present)) + len(planned))


def _matches(resource: Resource, texts: Sequence[str]) -> bool:
    return not texts or any(selectors.parse(text).matches(resource.labels) for text in texts)


def with_planned(omni: OmniClient, planned: Planned) -> OmniClient:
    """Return a copy of a client whose reads also find the planned objects."""
    other = copy.copy(omni)
    other._owns_holder = False
    other.resources = PlannedResources(omni.resources, planned)  # type: ignore[assignment]
    return other
