"""An entry as a line: JSON, one line, short enough to be written whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from omni_gateway.audit import LONGEST_LINE, line_of
from omni_gateway.store import AuditEntry

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def test_a_line_has_every_member_of_the_entry() -> None:
    entry = AuditEntry("0123", NOW, 201, who="ada", changed=["labels.env"], documents=[{"type": "T", "id": "i"}])
    assert json.loads(line_of(entry)) == entry.document()
    assert json.loads(line_of(entry))["time"] == "2026-08-01T12:00:00.000Z"


def test_whatever_is_in_it_a_line_is_written_whole() -> None:
    wide = "\N{GRINNING FACE}" * 300
    entry = AuditEntry(
        "0123",
        NOW,
        403,
        who=wide[:200],
        caller_id=wide[:200],
        path="%F0" * 160,
        route="/x" * 150,
        resource=wide,
        object_id=wide,
        cluster=wide,
        request_id="r" * 128,
        changed=["n" * 100] * 12,
        documents=[{"type": "T" * 80, "id": wide}] * 4,
    )
    line = line_of(entry)
    assert len(line.encode()) <= LONGEST_LINE
    assert json.loads(line)["request_id"].startswith("rrr")
