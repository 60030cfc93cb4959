"""Relative URLs between objects."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from omni_gateway.model.resource import Resource

API_PREFIX = "/api/v1"

LinkMaker = Callable[[Resource], str | None]


def object_url(collection: str, id: str, *rest: str) -> str:
    """Return ``/api/v1/<collection>/<id>[/<rest>...]``, percent-encoded after the collection.

    The URL has no host, so it is valid behind any proxy.
    """
    url = f"{API_PREFIX}/{collection}/{quote(id, safe='')}"
    for word in rest:
        url += f"/{quote(word, safe='')}"
    return url


def label_link(collection: str, label: str) -> LinkMaker:
    """Return a link maker for the object of ``collection`` that a label names.

    It makes no link if the label is absent or empty.
    """

    def make(resource: Resource) -> str | None:
        name = resource.labels.get(label)
        return object_url(collection, name) if name else None

    return make


def id_link(collection: str, *rest: str) -> LinkMaker:
    """Return a link maker for the object of ``collection`` with the same id, or for its sub-resource ``rest``."""
    return lambda resource: object_url(collection, resource.id, *rest)
