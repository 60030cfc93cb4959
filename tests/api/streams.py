"""Reading a watch: one piece of a stream may hold several events, or be one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def told(answer: Any) -> Iterator[dict[str, Any]]:
    """Return a watch's events (NDJSON) as they come."""
    for piece in answer.response:
        yield from map(json.loads, filter(None, piece.splitlines()))


def lines(text: str) -> list[dict[str, Any]]:
    """Return the events of a stream in NDJSON that has ended."""
    return [json.loads(line) for line in text.splitlines() if line]


def server_sent_events(text: str) -> list[dict[str, Any]]:
    """Return the events of a stream of Server-Sent Events in the form that NDJSON has; comments are none."""
    names = {"event": "type", "id": "resume_point", "data": "object"}
    found = []
    for block in text.split("\n\n"):
        members = dict(line.split(": ", 1) for line in block.splitlines() if line and line[0] != ":")
        event = {names[key]: value for key, value in members.items() if key in names}
        if event:
            found.append({**event, "object": json.loads(event["object"])})
    return found
