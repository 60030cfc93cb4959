"""An entry of the audit as admins read it."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OUTCOMES = ("done", "denied", "invalid", "failed")


def _text(description: str, **more: object) -> fields.String:
    return fields.String(dump_only=True, metadata={"description": description, **more})


class AuditDocumentSchema(SpecSchema):
    """An object that a request with many documents was about."""

    type = fields.String(
        metadata={"description": "Omni type of the document's object", "example": "MachineClasses.omni.sidero.dev"}
    )
    id = fields.String(metadata={"description": "Id of the document's object", "example": "metal"})


class AuditEntrySchema(ResourceSchema):
    """One request that changed something or was refused; unknown fields are empty.

    Bodies are not stored, only the names of their fields, and of documents the types and ids.
    """

    time = _text("When the request was answered", format="date-time", example="2026-08-21T10:00:00Z")
    who = _text("The caller's name; empty: not authenticated", example="deploy-pipeline")
    caller_id = _text("The caller; unlike the name it is unique", example="token:5f3c8a1d9b7e")
    auth = _text(
        "How the caller was authenticated; command: a user of the gateway's host, by `omni-gateway`",
        enum=["token", "oidc", "omni-key", "off", "command", ""],
    )
    role = _text("The caller's role here: reader, operator, admin or none", example="operator")
    method = _text("HTTP method of the request", example="PATCH")
    route = _text("The route as the URL map has it", example="/api/v1/clusters/<id>")
    path = _text(
        "The URL's path, or the command; values that look like secrets are `***`; the query is not stored",
        example="/api/v1/clusters/my-cluster",
    )
    resource = _text("Name of the resource, such as `clusters`", example="clusters")
    object_id = _text("The object's id, if the URL or the answer has it", example="my-cluster")
    cluster = _text("The cluster that it concerns, if known without a call to Omni", example="my-cluster")
    status = fields.Integer(
        dump_only=True, metadata={"description": "HTTP status of the answer; of a command 200", "example": 200}
    )
    outcome = _text("done: below 400; denied: 401, 403, 429; invalid: other 4xx; failed: 5xx", enum=list(OUTCOMES))
    code = _text("The problem's code, where the answer was a problem", example="")
    dry_run = fields.Boolean(dump_only=True, metadata={"description": "Whether it was a dry run", "example": False})
    replayed = fields.Boolean(
        dump_only=True,
        metadata={"description": "Whether a stored answer was repeated for its Idempotency-Key", "example": False},
    )
    request_id = _text(
        "Id of the request, as in the answer's `X-Request-ID`", example="0d9f1c52-7a4e-4b7e-9a53-1f2d3c4b5a69"
    )
    remote = _text("Address of the client, as far as proxies are trusted", example="192.0.2.7")
    duration_ms = fields.Float(
        dump_only=True, metadata={"description": "Milliseconds until the answer", "example": 12.5}
    )
    changed = fields.List(
        fields.String(),
        dump_only=True,
        metadata={
            "description": "Dotted names of the fields in the body, without their values; `…`: and more",
            "example": ["labels.env"],
        },
    )
    documents = fields.List(
        fields.Nested(AuditDocumentSchema),
        dump_only=True,
        metadata={"description": "Which objects the body's documents were about; `…`: and more"},
    )
    times = fields.Integer(
        dump_only=True,
        metadata={
            "description": "Number of requests in this entry: further refusals within a minute are summed up",
            "example": 1,
        },
    )
