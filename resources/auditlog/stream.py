"""The stream of the audit log (``ManagementService.ReadAuditLog``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import marshmallow as ma
import orjson
from marshmallow import fields, validate

from omni_gateway.sdk import Problem, ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, EventStreamResponse, StreamingResponse
from omni_gateway.sdk.omni import omni_errors

NDJSON = "application/x-ndjson"
#: Parameters that go with ``follow``.
FOLLOWED = frozenset({"follow", "start", "resume_point"})
DAY, MILLISECOND = timedelta(days=1), timedelta(milliseconds=1)
#: Of a record's number, which has 64 bits.
MOST_DIGITS = 19
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def _moment(text: str) -> datetime | date:
    """Return a bound: a day, or a moment with its offset from UTC. Raises ``ValidationError`` for any other text."""
    try:
        day: date | None = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is not None:
        return day
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ma.ValidationError("Must be a day or an RFC 3339 time: 2026-08-01, 2026-08-01T10:00:00Z.")
    return moment


def _bound(text: str) -> None:
    """Raise ``ValidationError`` for what is no bound, and for years whose days end in none that there is."""
    if not 1970 <= _moment(text).year < MAXYEAR:
        raise ma.ValidationError(f"Must be of the years 1970 to {MAXYEAR - 1}.")


class AuditLogQuery(ma.Schema):
    """Filters and order of the records."""

    start = fields.String(
        validate=_bound,
        metadata={
            "description": "First day (UTC) or moment, e.g. `2026-08-01` or `2026-08-01T10:00:00Z` (RFC 3339); left"
            " out: 29 days ago, with `follow` now"
        },
    )
    end = fields.String(
        validate=_bound, metadata={"description": "Last day (UTC) or moment, included; left out: today"}
    )
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
        metadata={
            "description": "Keep the stream open and send new records; excludes all other parameters but `start` and"
            " `resume_point`"
        },
    )
    resume_point = fields.String(
        validate=validate.Length(max=32),
        metadata={
            "description": "With `follow`: go on after the record with this `event_id`, as with `Last-Event-ID`, which"
            " goes before it"
        },
    )


class AuditLogRecordSchema(ma.Schema):
    """A record of Omni's audit log."""

    class Meta:
        """A newer Omni may have more members."""

        unknown = ma.INCLUDE

    event_id = fields.Integer(
        metadata={
            "description": "Omni's number of the record, only of a followed log: later ones have greater numbers",
            "example": 4711,
            "format": "int64",
        }
    )
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


def audit_log(adapter: ResourceAdapter, query: Mapping[str, Any]) -> StreamingResponse | EventStreamResponse:
    """Stream the records, one JSON object per line; 422 for parameters that exclude each other."""
    start, end = (_moment(query[name]) if name in query else None for name in ("start", "end"))
    if query["follow"]:
        if others := sorted(name for name, value in query.items() if name not in FOLLOWED and value):
            raise Problem(422, "validation", errors={name: ["Cannot be combined with `follow`."] for name in others})
        return EventStreamResponse(partial(_followed, adapter, _milliseconds(start) if start else 0))
    if query.get("resume_point"):
        raise Problem(422, "validation", errors={"resume_point": ["Goes with `follow=true` only."]})
    last = _end(end) if end else None
    if start and last is not None and _milliseconds(start) > last:
        raise Problem(422, "validation", errors={"end": ["Must not be before `start`."]})
    return StreamingResponse(partial(_selected, adapter, query, start, end), NDJSON)


@contextmanager
def _selected(
    adapter: ResourceAdapter, query: Mapping[str, Any], start: date | None, end: date | None
) -> Iterator[Iterator[bytes]]:
    """Read the records that match. Omni takes a day as the end, and only a newer one takes a moment as the start."""
    moments = [bound for bound in (start, end) if isinstance(bound, datetime)]
    records = adapter.omni.management.read_audit_log(
        start=_day(start, -DAY),
        start_ms=_milliseconds(start) if isinstance(start, datetime) else 0,
        end=_day(end, DAY),
        order_by=query.get("order_by", "unspecified").upper(),
        descending=query["descending"],
        search=query.get("search", ""),
        event_type=query.get("event_type", "unspecified").upper(),
        resource_type=query.get("resource_type", ""),
        resource_id=query.get("resource_id", ""),
        cluster=query.get("cluster", ""),
        actor=query.get("actor", ""),
    )
    with records:
        lines = (record.line for record in records if record.line)
        yield (line + b"\n" for line in lines if not moments or _is_within(line, start, end))


def _is_within(line: bytes, start: date | None, end: date | None) -> bool:
    when = orjson.loads(line)["event_ts"]
    return not (start and when < _milliseconds(start)) and not (end and when > _end(end))


@contextmanager
def _followed(adapter: ResourceAdapter, start_ms: int, resume_point: str) -> Iterator[Iterator[tuple[str, bytes]]]:
    """Follow the log from a moment, or after a record. Raises 410 for a record that Omni does not know (any more)."""
    if resume_point and not (resume_point.isdecimal() and len(resume_point) < MOST_DIGITS):
        raise Problem(410, "gone", "This is no `event_id` of Omni's audit log.")
    next_id = int(resume_point) + 1 if resume_point else 0
    records = adapter.omni.management.read_audit_log(follow=True, start_ms=0 if next_id else start_ms, from_id=next_id)
    with records:
        yield numbered(iter(records))


def numbered(records: Iterator[Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the records with their ids, after the id that the log begins after."""
    try:
        first = next(records, None)
    except omni_errors.FailedPrecondition as error:
        raise Problem(410, "gone", f"Omni cannot go on after this record: {error.detail}.") from error
    if first is None or first.line:
        raise Problem(501, "not-implemented", "This Omni does not follow its audit log; Omni 1.10 does.")
    yield str(first.id), b""
    for record in records:
        yield str(record.id), b'{"event_id":%d,' % record.id + record.line.lstrip()[1:]


def _milliseconds(bound: date) -> int:
    """Return the first millisecond of a bound, since 1970; at least 1, for 0 is none to Omni."""
    moment = bound if isinstance(bound, datetime) else datetime(bound.year, bound.month, bound.day, tzinfo=UTC)
    # Not by `timestamp()`, whose rounding may lose a millisecond.
    return max(1, (moment - EPOCH) // MILLISECOND)


def _end(bound: date) -> int:
    """Return the last millisecond of a bound, since 1970."""
    return _milliseconds(bound) if isinstance(bound, datetime) else _milliseconds(bound + DAY) - 1


def _day(bound: date | None, margin: timedelta) -> str:
    """Return the day that Omni reads from or to; empty for none.

    Of a moment, a day beyond it: Omni's days may be those of its own time zone.
    """
    if bound is None:
        return ""
    return ((bound.astimezone(UTC) + margin).date() if isinstance(bound, datetime) else bound).isoformat()


AUDIT_LOG = ComputedDocument(
    "",
    role=Role.ADMIN,
    summary="Read the audit log",
    description="A record a line, oldest first unless ordered otherwise. With `follow=true` the stream stays open and"
    " sends new records, each with its `event_id`; with `Accept: text/event-stream` as Server-Sent Events, whose `id`"
    " that is. `Last-Event-ID` goes on after a record: none is missed, and none sent twice.",
    media_type=NDJSON,
    events=True,
    answers=AuditLogRecordSchema,
    query=AuditLogQuery,
    on_collection=True,
    run=audit_log,
)
