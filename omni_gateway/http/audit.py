"""One log line per mutation: who did what to which object, and how it ended."""

from __future__ import annotations

import json
import logging
import re

from flask import Flask, Response, request
from marshmallow import fields

from omni_gateway.http.guard import known_principal
from omni_gateway.http.request_id import request_id

log = logging.getLogger("omni_gateway.audit")
MUTATIONS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PLAIN = re.compile(r"[A-Za-z0-9_./:<>@+-]+")


def init_app(app: Flask) -> None:
    """Write the line after every mutation, refused ones and dry runs included; bodies never appear in it."""

    def write(response: Response) -> Response:
        if request.method in MUTATIONS:
            log.info("%s", _line(response))
        return response

    app.after_request(write)


def _line(response: Response) -> str:
    principal = known_principal()
    entries = {
        "who": principal.name if principal else "-",
        "role": principal.role_name if principal else "-",
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "-",
        "id": (request.view_args or {}).get("id", "-"),
        "path": request.path,
        "status": response.status_code,
        "dry_run": _said_true(request.args.get("dry_run", "")),
        "replayed": response.headers.get("Idempotency-Replayed", "false"),
        "request_id": request_id(),
    }
    return " ".join(f"{name}={_word(str(value))}" for name, value in entries.items())


def _said_true(text: str) -> str:
    """Read a flag as the query schemas do."""
    return "true" if text in fields.Boolean.truthy else "false"


def _word(text: str) -> str:
    """Write a value so that it stays one value on one line, whatever a caller put into a URL or an operator a name."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
