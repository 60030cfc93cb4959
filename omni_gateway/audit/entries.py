"""Audit entries: caller, method, object and outcome of a request. Bodies and query strings are not in them."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from flask import Response, current_app, request
from marshmallow import fields

from omni_gateway.http import metrics
from omni_gateway.http.changed_fields import LONGEST_ID, noted, object_id
from omni_gateway.http.guard import known_principal
from omni_gateway.http.idempotency import REPLAYED
from omni_gateway.http.paths import request_path
from omni_gateway.http.problems import code_of
from omni_gateway.http.request_id import request_id
from omni_gateway.redaction.credentials import MASK, masked, plain, shown
from omni_gateway.store import AuditEntry

DENIED = (401, 403, 429)
LONGEST_PATH = 500
LONGEST_NAME = 200
LONGEST_METHOD = 20
LONGEST_ADDRESS = 100
_GENERIC = "resources"
_METHOD = re.compile(r"[A-Z]{1,20}")


def entry_of(response: Response) -> AuditEntry:
    """Return the entry of the current request, whose response is ``response``."""
    principal = known_principal()
    resource, id = _object(response)
    names, documents, cluster = noted(request.environ)
    return AuditEntry(
        **_id_and_time(),
        who=plain(principal.name, LONGEST_NAME) if principal else "",
        caller_id=plain(principal.id, LONGEST_NAME) if principal else "",
        auth=principal.method if principal else "",
        role=principal.role_name if principal else "",
        method=request.method[:LONGEST_METHOD],
        route=request.url_rule.rule if request.url_rule else "",
        path=_path(),
        resource=resource,
        object_id=id,
        cluster=cluster or (id if resource == "clusters" else ""),
        status=response.status_code,
        outcome=outcome_of(response.status_code),
        code=code_of(request.environ),
        dry_run=request.args.get("dry_run", "") in fields.Boolean.truthy,  # as the query schemas parse it
        replayed=response.headers.get(REPLAYED) == "true",
        request_id=request_id(),
        remote=plain(request.remote_addr or "", LONGEST_ADDRESS),
        duration_ms=round(metrics.elapsed() * 1000, 3),
        changed=names,
        documents=documents,
    )


def refusal_entry(status: int, code: str, remote: str, start_line: bytes) -> AuditEntry:
    """Return the entry of a request that the server refused before its headers were read.

    ``start_line`` is the received part of the start line; method and path are taken from it if they are there.
    """
    method, _, target = start_line.decode("latin-1").strip().partition(" ")
    path = target.partition(" ")[0].partition("?")[0]
    known = _METHOD.fullmatch(method) is not None
    return AuditEntry(
        **_id_and_time(),
        status=status,
        outcome=outcome_of(status),
        code=code,
        method=method if known else "",
        path=plain(masked(path), LONGEST_PATH) if known else "",
        remote=plain(remote, LONGEST_ADDRESS),
    )


def command_entry(command: str, resource: str, object_id: str) -> AuditEntry:
    """Return the entry of a change that a command of ``omni-gateway`` has made.

    ``who`` is the user of the operating system that runs it.
    """
    return AuditEntry(
        **_id_and_time(),
        who=plain(_user_name(), LONGEST_NAME),
        caller_id=f"user:{os.getuid()}",
        auth="command",
        path=command,
        resource=resource,
        object_id=object_id,
        status=200,
        outcome=outcome_of(200),
    )


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a number without an entry, as in a container
        return ""


def _id_and_time() -> dict[str, Any]:
    """Return the members of an entry that say when it was made."""
    moment = time.time_ns()
    return {"id": new_id(moment), "time": datetime.fromtimestamp(moment / 1e9, UTC)}


def new_id(moment: int) -> str:
    """Return an id (28 hex digits) that is unique and sorts by time (nanoseconds since 1970)."""
    return f"{moment:016x}{secrets.token_hex(6)}"


def outcome_of(status: int) -> str:
    """Return the outcome of a status: ``done``, ``denied``, ``invalid`` or ``failed``."""
    if status < 400:
        return "done"
    if status in DENIED:
        return "denied"
    return "failed" if status >= 500 else "invalid"


def _object(response: Response) -> tuple[str, str]:
    """Return the resource and the object's id: from the URL, or of a created object from ``Location``."""
    resource = _extended() or request.blueprint or ""
    arguments: dict[str, Any] = request.view_args or {}
    type = str(arguments.get("type", ""))
    if resource == _GENERIC and type:
        resource = f"{_GENERIC}/{shown(type, LONGEST_NAME)}"
    if "id" in arguments:
        return resource, object_id(type, str(arguments["id"]))
    location = response.headers.get("Location", "")
    if response.status_code == 201 and location:
        return resource, shown(unquote(location.rpartition("/")[2]), LONGEST_ID)
    return resource, ""


def _extended() -> str:
    """Return the name of the plugin whose object a route of another plugin is about; empty for any other route."""
    return getattr(current_app.blueprints.get(request.blueprint or ""), "extends", "")


def _path() -> str:
    path = masked(request_path())
    arguments = request.view_args or {}
    if object_id(str(arguments.get("type", "")), "") == MASK and "id" in arguments:
        path = f"{path.rpartition('/')[0]}/{MASK}"
    return path if len(path) <= LONGEST_PATH else f"{path[: LONGEST_PATH - 1]}…"
