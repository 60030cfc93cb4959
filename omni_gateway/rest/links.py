"""Relative URLs between objects."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from omni_gateway.model.resource import Resource

API_PREFIX = "/api/v1"

LinkMaker = Callable[[Resource], str | None]


def object_url(collection: str, id: str, *rest: str) -> str:
    """Return ``/api/v1/<collection>/<id>[/<rest>...]``, all after the collection escaped.

    It is relative to the host, so no proxy breaks it.
    """
    return "/".join((API_PREFIX, collection, *(quote(word, safe="") for word in (id, *rest))))


def label_link(collection: str, label: str) -> LinkMaker:
    """Link to the object of ``collection`` that a label names; no link when the label is absent or empty."""

    def make(resource: Resource) -> str | None:
        name = resource.labels.get(label)
        return object_url(collection, name) if name else None

    return make


def id_link(collection: str, *rest: str) -> LinkMaker:
    """Link to the object of ``collection`` that has the same id, or to something below it."""
    return lambda resource: object_url(collection, resource.id, *rest)
