"""The stream of the audit log (``ManagementService.ReadAuditLog``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import Problem, ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, StreamingResponse

NDJSON = "application/x-ndjson"
#: Sent on an idle followed log from time to time, so that a disconnected reader is detected.
IDLE = b"\n"
ORDERS = ("date", "event_type", "resource_type", "resource_id", "cluster_id", "actor")
EVENTS = (
    "create",
    "update",
    "update_with_conflicts",
    "destroy",
    "teardown",
    "talos_access",
    "k8s_access",
    "audit_log_access",
)
_LENGTH = validate.Length(min=1, max=256)


def _text(description: str) -> fields.String:
    return fields.String(validate=_LENGTH, metadata={"description": description})


class AuditLogQuery(ma.Schema):
    """Filters and order of the records."""

    start = fields.Date(metadata={"description": "First day (UTC), e.g. 2026-08-01; left out: 29 days ago"})
    end = fields.Date(metadata={"description": "Last day (UTC), included; left out: today"})
    order_by = fields.String(
        validate=validate.OneOf(ORDERS),
        metadata={"description": "Member that the records are sorted by; left out: `date`"},
    )
    descending = fields.Boolean(
        load_default=False, metadata={"description": "Whether the order is reversed: the newest record first"}
    )
    search = _text("Text anywhere in a record")
    event_type = fields.String(
        validate=validate.OneOf(EVENTS), metadata={"description": "Only records of this kind of event"}
    )
    resource_type = _text("Only records about objects of this Omni type")
    resource_id = _text("Only records about the object of this id")
    cluster = _text("Only records about this cluster")
    actor = _text("Only records of this identity")
    follow = fields.Boolean(
        load_default=False,
        metadata={"description": "Keep the stream open and send new records; excludes all other parameters"},
    )


class AuditLogRecordSchema(ma.Schema):
    """A record of Omni's audit log."""

    class Meta:
        """A newer Omni may have more members."""

        unknown = ma.INCLUDE

    event_type = fields.String(metadata={"description": "What was done", "example": "create"})
    event_ts = fields.Integer(
        metadata={"description": "When: milliseconds since 1970 (UTC)", "example": 1787306400000, "format": "int64"}
    )
    resource_type = fields.String(
        metadata={"description": "Omni type of the object, where there is one", "example": "Clusters.omni.sidero.dev"}
    )
    resource_id = fields.String(
        metadata={"description": "Id of the object that the record is about", "example": "my-cluster"}
    )
    event_data = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        metadata={
            "description": "Who did it (`session`), the cluster, the object before and after: by event",
            "example": {"session": {"email": "ops@example.com"}, "cluster_id": "my-cluster"},
        },
    )


def audit_log(adapter: ResourceAdapter, query: Mapping[str, Any]) -> StreamingResponse:
    """Stream the records, one JSON object per line; 422 for parameters that exclude each other."""
    follow = query["follow"]
    others = sorted(name for name, value in query.items() if name != "follow" and value)
    if follow and others:
        raise Problem(422, "validation", errors={name: ["Cannot be combined with `follow`."] for name in others})
    start, end = (query.get(name) for name in ("start", "end"))
    if start and end and start > end:
        raise Problem(422, "validation", errors={"end": ["Must not be before `start`."]})

    @contextmanager
    def open_log() -> Iterator[Iterator[bytes]]:
        records = adapter.omni.management.read_audit_log(
            start=_day(start),
            end=_day(end),
            order_by=query.get("order_by", "unspecified").upper(),
            descending=query["descending"],
            search=query.get("search", ""),
            event_type=query.get("event_type", "unspecified").upper(),
            resource_type=query.get("resource_type", ""),
            resource_id=query.get("resource_id", ""),
            cluster=query.get("cluster", ""),
            actor=query.get("actor", ""),
            follow=follow,
        )
        with records:
            yield (record.line + b"\n" for record in records if record.line)

    return StreamingResponse(open_log, NDJSON, beat=IDLE if follow else b"")


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


AUDIT_LOG = ComputedDocument(
    "",
    role=Role.ADMIN,
    summary="Read the audit log",
    description="A record a line, oldest first unless ordered otherwise. With `follow=true` the stream stays open and"
    " sends new records.",
    media_type=NDJSON,
    answers=AuditLogRecordSchema,
    query=AuditLogQuery,
    on_collection=True,
    run=audit_log,
)
