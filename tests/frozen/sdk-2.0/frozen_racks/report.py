"""A service: a computed document, a file, a stream."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import marshmallow as ma

from omni_gateway.sdk import Problem, ResourceAdapter, Role, SpecSchema
from omni_gateway.sdk.actions import ComputedDocument, FileResponse, ServicePlugin, StreamingResponse
from omni_gateway.sdk.adapters import map_concurrently, resources_of
from omni_gateway.sdk.omni import types

COUNTED = (types.LINKS, types.MACHINE_STATUSES)


class CountQuery(ma.Schema):
    """The parameters of the report."""

    least = ma.fields.Integer(load_default=0)


class FrozenCountsSchema(SpecSchema):
    """How many objects there are."""

    links = ma.fields.Integer()
    machines = ma.fields.Integer()


def counts(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Count both types at once."""
    links, machines = map_concurrently(lambda type: len(resources_of(adapter.omni.resources.list(type))), COUNTED, 2)
    if links < query["least"]:
        raise Problem(404, "not-found", "There are fewer.")
    return {"links": links, "machines": machines}


def as_text(adapter: ResourceAdapter, query: Mapping[str, Any]) -> FileResponse:
    """Return a file."""
    names = [each.id for each in resources_of(adapter.omni.resources.list(types.LINKS))]
    return FileResponse("\n".join(names).encode(), "text/plain", "links.txt")


def as_stream(adapter: ResourceAdapter, query: Mapping[str, Any]) -> StreamingResponse:
    """Return it in chunks."""
    names = [each.id for each in resources_of(adapter.omni.resources.list(types.LINKS))]

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield (f"{name}\n".encode() for name in names)

    return StreamingResponse(opened, "text/plain")


plugin = ServicePlugin(
    name="frozen-report",
    description="Counts of objects",
    documents=[
        ComputedDocument(
            "",
            role=Role.READER,
            summary="Counts",
            answers=FrozenCountsSchema,
            query=CountQuery,
            on_collection=True,
            cluster_independent=True,
            run=counts,
        ),
        ComputedDocument(
            "text", role=Role.READER, summary="As text", media_type="text/plain", on_collection=True, run=as_text
        ),
        ComputedDocument(
            "stream", role=Role.READER, summary="As a stream", media_type="text/plain", on_collection=True, run=as_stream
        ),
    ],
    sdk=">=2.0,<3",
)
