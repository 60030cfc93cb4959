"""The representation of a resource's objects: document, JSON bytes, entity tag, for each view of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from marshmallow import Schema
from marshmallow.fields import Nested

from omni_gateway.http import etags
from omni_gateway.model.label_names import OWN_PREFIX
from omni_gateway.model.resource import Resource
from omni_gateway.rest.cluster_lock import LOCKS
from omni_gateway.rest.links import API_PREFIX, LinkMaker, object_url
from omni_gateway.rest.schema import ResourceSchema

ALWAYS = ("id", "metadata.version")
#: The values of the parameter ``view``: the whole object, and the object without what callers seldom read.
FULL, SUMMARY = "full", "summary"
VIEWS = (FULL, SUMMARY)


class Representation:
    """Renders the objects of one schema, in one view; ``views`` has the representation of each view.

    :param schema: the schema of the objects.
    :param collection: the first segments of their URLs below ``/api/v1``.
    :param links: name → link maker, for ``_links``.
    :param singleton: whether there is only one object, whose URL is the collection's.
    :param view: ``summary`` leaves out the links, the finalizers, and the annotations of Omni's own except locks.
    """

    def __init__(
        self,
        schema: ResourceSchema,
        collection: str,
        links: Mapping[str, LinkMaker],
        *,
        singleton: bool = False,
        view: str = FULL,
    ) -> None:
        self.schema = schema
        self.collection = collection
        self.links = links
        self.singleton = singleton
        names = {field.data_key or name for name, field in schema.dump_fields.items()}
        self.known_fields = frozenset(names - schema.request_only)
        self.view = view
        #: The view, for the entity tags of its objects; empty for the full view.
        self.tagged: tuple[str, ...] = ()
        self.views: Mapping[str, Representation] = {view: self}
        if view == FULL:
            summary = Representation(schema, collection, links, singleton=singleton, view=SUMMARY)
            self.views = {FULL: self, SUMMARY: summary}
        else:
            self.known_fields -= {"_links"}
            self.tagged = (f"view={view}",)

    def document(self, resource: Resource) -> dict[str, Any]:
        """Return the flat JSON object: id, namespace, the spec's fields, labels, annotations, metadata, links."""
        document = self._content(resource)
        if self.view == FULL:
            links = document["_links"] = {"self": self.url(resource.id)}
            for name, make in self.links.items():
                url = make(resource)
                if url is not None:
                    links[name] = url
        if self.schema.aliases:
            document = self.schema.name_again(document)
        return document if self.view == FULL else _summary(document)

    def _content(self, resource: Resource) -> dict[str, Any]:
        """Return the document without links and without aliases."""
        return {
            "id": resource.id,
            "namespace": resource.namespace,
            **self.schema.render_spec(resource.spec),
            "labels": resource.labels,
            "annotations": resource.annotations,
            "metadata": {
                "type": resource.type,
                "version": resource.version,
                "phase": resource.phase,
                "owner": resource.owner,
                "created": resource.created,
                "updated": resource.updated,
                "finalizers": resource.finalizers,
            },
        }

    def writable(self, resource: Resource) -> dict[str, Any]:
        """Return the document without its read-only members; a merge patch is applied to it."""
        document = self._content(resource)
        if self.schema.aliases:
            document = self.schema.name_again(document)
        del document["metadata"], document["namespace"]
        for name, field in self.schema.fields.items():
            if field.dump_only:
                document.pop(field.data_key or name, None)
            elif isinstance(field, Nested) and isinstance(inner := document.get(field.data_key or name), dict):
                document[field.data_key or name] = _without_read_only(field.schema, inner)
        return document

    def url(self, id: str) -> str:
        """Return the URL of the object of this id, without a host."""
        return f"{API_PREFIX}/{self.collection}" if self.singleton else object_url(self.collection, id)

    def render(self, resource: Resource, fields: tuple[str, ...] = ()) -> bytes:
        """Return the document as JSON, reduced to ``fields`` (dotted paths) if any are given."""
        document = self.document(resource)
        return orjson.dumps(project(document, fields) if fields else document)

    def etag(self, resource: Resource, fields: tuple[str, ...] = ()) -> str:
        """Return the object's entity tag; each view, and each selection of ``fields``, has a tag of its own."""
        tag: str = resource.derived("etag", _etag)
        selection = (*self.tagged, *fields)
        return etags.of_selection(tag, selection) if selection else tag


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without what the view ``summary`` leaves out beside the links."""
    del document["metadata"]["finalizers"]
    document["annotations"] = {
        key: value for key, value in document["annotations"].items() if key in LOCKS or not key.startswith(OWN_PREFIX)
    }
    return document


def _without_read_only(schema: Schema, document: dict[str, Any]) -> dict[str, Any]:
    """Return a nested message without its read-only members, most of which are aliases."""
    read_only = {field.data_key or name for name, field in schema.fields.items() if field.dump_only}
    return {key: value for key, value in document.items() if key not in read_only}


def _etag(resource: Resource) -> str:
    return etags.of_object(resource.spec, resource.labels, resource.annotations, resource.phase, resource.version)


def project(document: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return a document reduced to dotted paths, ``id`` and ``metadata.version``; unknown paths select nothing."""
    result: dict[str, Any] = {}
    for path in (*ALWAYS, *fields):
        _copy_path(document, result, path.split("."))
    return result


def _copy_path(source: Any, target: dict[str, Any], path: list[str]) -> None:
    head, rest = path[0], path[1:]
    if not isinstance(source, Mapping) or head not in source:
        return
    if not rest:
        target[head] = source[head]
    elif isinstance(source[head], Mapping):
        _copy_path(source[head], target.setdefault(head, {}), rest)
