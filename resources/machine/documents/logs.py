"""A machine's log as Omni stores it: a stream of JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import Role
from omni_gateway.sdk.actions import ComputedDocument, StreamingResponse
from omni_gateway.sdk.redaction import mask_tokens_in_line
from resources.machine.adapter import MachineAdapter

NDJSON = "application/x-ndjson"
DEFAULT_TAIL = 100
MAX_TAIL = 100_000
#: Sent on an idle log from time to time, so that a disconnected reader is detected; JSON readers skip it.
IDLE = b"\n"


class MachineLogsQuery(ma.Schema):
    """Query of the log: follow, and number of past lines."""

    follow = fields.Boolean(
        load_default=False,
        metadata={"description": "Keep the stream open and send new lines; an idle stream sends empty lines"},
    )
    tail = fields.Integer(
        load_default=DEFAULT_TAIL,
        validate=validate.Range(min=0, max=MAX_TAIL),
        metadata={"description": "Lines of the past, at most; 0 for none"},
    )


class MachineLogLineSchema(ma.Schema):
    """A line of a machine's log, as Talos writes it."""

    class Meta:
        """Services of Talos add members of their own."""

        unknown = ma.INCLUDE

    message = fields.String(
        data_key="msg", metadata={"description": "The text", "example": "machine is running and ready"}
    )
    level = fields.String(data_key="talos-level", metadata={"description": "How serious it is", "example": "info"})
    service = fields.String(data_key="talos-service", metadata={"description": "Who wrote it", "example": "machined"})
    time = fields.String(
        data_key="talos-time",
        metadata={"description": "When", "format": "date-time", "example": "2026-08-21T10:00:00Z"},
    )


def logs(adapter: MachineAdapter, id: str, query: Mapping[str, Any]) -> StreamingResponse:
    """Stream the log; 404 for a machine that does not exist, or has never logged."""
    adapter.get(id)

    @contextmanager
    def open_log() -> Iterator[Iterator[bytes]]:
        with adapter.omni.management.machine_logs(id, follow=query["follow"], tail_lines=query["tail"]) as lines:
            yield (mask_tokens_in_line(line) + b"\n" for line in lines)

    return StreamingResponse(open_log, NDJSON, beat=IDLE if query["follow"] else b"")


LOGS = ComputedDocument(
    "logs",
    role=Role.READER,
    summary="The machine's log: a JSON document a line",
    media_type=NDJSON,
    answers=MachineLogLineSchema,
    query=MachineLogsQuery,
    description="Lines are as Talos writes them (`msg`, `talos-level`, `talos-time`, …); join tokens are masked.",
    run=logs,
)
