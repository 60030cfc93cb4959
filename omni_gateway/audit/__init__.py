"""The audit: one JSON line and one row for each request that changes something, is refused, or is given a credential.

The line goes to standard error or a file at once; the row goes to the store by a thread of its own, a moment later.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from flask import Flask, Response, request

from omni_gateway.audit import lines
from omni_gateway.audit.entries import DENIED, entry_of, refusal_entry
from omni_gateway.audit.writer import Keeper, Retention
from omni_gateway.http.changed_fields import MORE, hands_out_credential
from omni_gateway.redaction.credentials import plain
from omni_gateway.store import AuditEntry, AuditStore

__all__ = ["EXTENSION", "Retention", "init_app", "keeper_of", "note_refusal"]

EXTENSION = "omni_gateway_audit"
#: Bytes: what a pipe takes whole (POSIX: PIPE_BUF), without the end of the line.
LONGEST_LINE = 4095
#: Characters of each member of a line that would be longer.
LONGEST_TEXT = 60
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def init_app(app: Flask, store: AuditStore, retention: Retention, file: Path | None) -> None:
    """Audit the requests of an application, dry runs included."""
    lines.configure(file)
    keeper = app.extensions[EXTENSION] = Keeper(store, retention)

    def write(response: Response) -> Response:
        if request.method in CHANGING or response.status_code in DENIED or hands_out_credential(request.environ):
            entry = entry_of(response)
            lines.log.info("%s", line_of(entry))
            keeper.put(entry)
        return response

    app.after_request(write)


def note_refusal(app: Flask, status: int, code: str, remote: str, start_line: bytes) -> None:
    """Audit a request that the server refused before the application saw it, by the same rule as every other one.

    One whose method did not come is taken for a change.
    """
    entry = refusal_entry(status, code, remote, start_line)
    if entry.method in CHANGING or not entry.method or status in DENIED:
        lines.log.info("%s", line_of(entry))
        keeper_of(app).put(entry)


def keeper_of(app: Flask) -> Keeper:
    """Return what writes an application's entries to the store."""
    keeper: Keeper = app.extensions[EXTENSION]
    return keeper


def line_of(entry: AuditEntry) -> str:
    """Return an entry as a line of JSON, which has no line breaks and no control characters whatever is in it."""
    document = entry.document()
    line = orjson.dumps(document)
    if len(line) > LONGEST_LINE:
        document |= {"changed": [MORE], "documents": []}
        for name, value in document.items():
            if isinstance(value, str):
                document[name] = plain(value, LONGEST_TEXT)
        line = orjson.dumps(document)
    return line.decode()
