"""The representation of a resource's objects: document, JSON bytes, entity tag."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from marshmallow import Schema
from marshmallow.fields import Nested

from omni_gateway.http import etags
from omni_gateway.lru import RENDERED_RESPONSES
from omni_gateway.model.resource import Resource
from omni_gateway.rest.joined_bodies import JoinedBodies
from omni_gateway.rest.links import API_PREFIX, LinkMaker, object_url
from omni_gateway.rest.schema import ResourceSchema

ALWAYS = ("id", "metadata.version")


class Representation:
    """Renders the objects of one schema.

    :param schema: the schema of the objects.
    :param collection: the first segments of their URLs below ``/api/v1``.
    :param links: name → link maker, for ``_links``.
    :param singleton: whether there is only one object, whose URL is the collection's.
    """

    def __init__(
        self, schema: ResourceSchema, collection: str, links: Mapping[str, LinkMaker], *, singleton: bool = False
    ) -> None:
        self.schema = schema
        self.collection = collection
        self.links = links
        self.singleton = singleton
        names = {field.data_key or name for name, field in schema.dump_fields.items()}
        self.known_fields = frozenset(names - schema.request_only)

    def document(self, resource: Resource) -> dict[str, Any]:
        """Return the flat JSON object: id, namespace, the spec's fields, labels, annotations, metadata, links."""
        document = {
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
            "_links": self._links(resource),
        }
        return self.schema.name_again(document) if self.schema.aliases else document

    def writable(self, resource: Resource) -> dict[str, Any]:
        """Return the document without its read-only members; a merge patch is applied to it."""
        document = self.document(resource)
        for key in ("metadata", "_links", "namespace"):
            del document[key]
        for name, field in self.schema.fields.items():
            if field.dump_only:
                document.pop(field.data_key or name, None)
            elif isinstance(field, Nested) and isinstance(inner := document.get(field.data_key or name), dict):
                document[field.data_key or name] = _without_read_only(field.schema, inner)
        return document

    def url(self, id: str) -> str:
        """Return the URL of the object of this id, without a host."""
        return f"{API_PREFIX}/{self.collection}" if self.singleton else object_url(self.collection, id)

    def _links(self, resource: Resource) -> dict[str, str]:
        links = {"self": self.url(resource.id)}
        for name, make in self.links.items():
            url = make(resource)
            if url is not None:
                links[name] = url
        return links

    def body(self, resource: Resource, fields: tuple[str, ...] = ()) -> bytes:
        """Return the document as JSON, reduced to ``fields`` (dotted paths) if any are given.

        A whole document is cached with its object, if the object is shared.
        """
        if fields:
            return orjson.dumps(project(self.document(resource), fields))
        body = self._cached(resource)
        if body is None:
            # Copied to its exact size: orjson returns a buffer that stays as large as it has grown.
            body = bytes(memoryview(self._render(resource)))
            self._cache([resource], JoinedBodies.of_one(resource.id, body))
        return body

    def list_body(self, resources: Sequence[Resource], fields: tuple[str, ...] = ()) -> bytes:
        """Return the documents as a JSON array, joined from the cached bodies of the objects.

        Afterwards the cached body of each object is a slice of the array, so that the bytes are in memory once.
        """
        if fields:
            return b"[%b]" % b",".join([self.body(resource, fields) for resource in resources])
        bodies = [self._cached(resource) or self._render(resource) for resource in resources]
        joined = JoinedBodies.of([resource.id for resource in resources], bodies)
        body = joined.body
        self._cache(resources, joined)
        return body

    def evict(self, body: bytes) -> None:
        """Evict a body that ``list_body`` returned; called when a newer page replaces it."""
        RENDERED_RESPONSES.drop((self, id(body)))

    def _render(self, resource: Resource) -> bytes:
        return orjson.dumps(self.document(resource))

    def _cached(self, resource: Resource) -> bytes | None:
        joined: JoinedBodies | None = resource.memo.get(self) if resource.memo is not None else None
        return joined.part(resource.id) if joined is not None else None

    def _cache(self, resources: Sequence[Resource], joined: JoinedBodies) -> None:
        """Cache the joined bodies with each of their objects, if all of them are shared and the bytes fit."""
        memos = [resource.memo for resource in resources if resource.memo is not None]
        if len(memos) < len(resources) or not memos or not joined.distinct:
            return
        if RENDERED_RESPONSES.put((self, id(joined.body)), joined, joined.body, joined.clear):
            for memo in memos:
                memo[self] = joined

    def etag(self, resource: Resource, fields: tuple[str, ...] = ()) -> str:
        """Return the object's entity tag; each selection of ``fields`` is a representation with a tag of its own."""
        tag: str = resource.derived("etag", _etag)
        return f'{tag[:-1]}.{zlib.crc32(",".join(fields).encode()):08x}"' if fields else tag


def _without_read_only(schema: Schema, document: dict[str, Any]) -> dict[str, Any]:
    """Return a nested message without its read-only members, most of which are aliases."""
    read_only = {field.data_key or name for name, field in schema.fields.items() if field.dump_only}
    return {key: value for key, value in document.items() if key not in read_only} if read_only else document


def _etag(resource: Resource) -> str:
    return etags.make(resource.spec, resource.labels, resource.annotations, resource.phase, resource.version)


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
