"""One log line per mutation: who did what to which object, and how it ended."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, request

from omni_gateway.http.request_id import request_id

log = logging.getLogger("omni_gateway.audit")
MUTATIONS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def init_app(app: Flask) -> None:
    """Write the line after every mutation; bodies never appear in it."""

    def write(response: Response) -> Response:
        if request.method in MUTATIONS:
            principal = g.get("principal")
            log.info(
                "who=%s role=%s method=%s path=%s status=%d dry_run=%s request_id=%s",
                principal.name if principal else "-",
                principal.role.value if principal else "-",
                request.method,
                request.path,
                response.status_code,
                str(request.args.get("dry_run", "false").lower() == "true").lower(),
                request_id(),
            )
        return response

    app.after_request(write)
