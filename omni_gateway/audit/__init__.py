"""The audit log: a JSON line and a row for each unsafe or denied request, and for each response with a credential.

The line is written to standard error or a file at once, the row to the store by a background thread.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from flask import Flask, Response, request

from omni_gateway.audit import lines
from omni_gateway.audit.entries import DENIED, entry_of, refusal_entry
from omni_gateway.audit.writer import AuditWriter, Retention
from omni_gateway.http.changed_fields import MORE, hands_out_credential
from omni_gateway.redaction.credentials import plain
from omni_gateway.store import AuditEntry, AuditStore

__all__ = ["EXTENSION", "Retention", "init_app", "note_command", "note_refusal", "writer_of"]

EXTENSION = "omni_gateway_audit"
#: Bytes without the line end: writes of up to 4096 bytes to a pipe are atomic (POSIX: PIPE_BUF).
LONGEST_LINE = 4095
#: Characters of each member in a line that would be longer.
LONGEST_TEXT = 60
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def init_app(app: Flask, store: AuditStore, retention: Retention, file: Path | None) -> None:
    """Audit the requests of an application, dry runs included."""
    lines.configure(file)
    writer = app.extensions[EXTENSION] = AuditWriter(store, retention)

    def write(response: Response) -> Response:
        if request.method in CHANGING or response.status_code in DENIED or hands_out_credential(request.environ):
            entry = entry_of(response)
            lines.log.info("%s", line_of(entry))
            writer.put(entry)
        return response

    app.after_request(write)


def note_refusal(app: Flask, status: int, code: str, remote: str, start_line: bytes) -> None:
    """Audit a request that the server refused without calling the application, by the same rule as other requests.

    A request whose method is not known (its start line did not arrive) is audited like an unsafe one.
    """
    entry = refusal_entry(status, code, remote, start_line)
    if entry.method in CHANGING or not entry.method or status in DENIED:
        lines.log.info("%s", line_of(entry))
        writer_of(app).put(entry)


def note_command(store: AuditStore, file: Path | None, entry: AuditEntry) -> None:
    """Audit a change that a command has made: store the entry, and append its line to the file of the gateway, if any.

    Raises ``StoreUnavailable``.
    """
    # A file that is not there yet is the gateway's to make, with its own user.
    if file is not None and file.exists():
        lines.append(file, line_of(entry))
    store.add([entry])


def writer_of(app: Flask) -> AuditWriter:
    """Return the writer of an application."""
    writer: AuditWriter = app.extensions[EXTENSION]
    return writer


def line_of(entry: AuditEntry) -> str:
    """Return an entry as one line of JSON without control characters, at most ``LONGEST_LINE`` bytes long."""
    document = entry.document()
    line = orjson.dumps(document)
    if len(line) > LONGEST_LINE:
        document |= {"changed": [MORE], "documents": []}
        for name, value in document.items():
            if isinstance(value, str):
                document[name] = plain(value, LONGEST_TEXT)
        line = orjson.dumps(document)
    return line.decode()
