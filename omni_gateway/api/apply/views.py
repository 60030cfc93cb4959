"""The route of ``POST /api/v1/apply``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.openapi.dry_run import JSONPatchOperationSchema
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import JSON, GatewayBlueprint, strict_json
from omni_gateway.http.problems import Problem, ProblemSchema
from omni_gateway.http.yaml_body import MEDIA_TYPES, yaml_documents
from omni_gateway.rest.apply.documents import ApplyDocumentSchema
from omni_gateway.rest.apply.outcomes import Outcome, refuse_incomplete, summary
from omni_gateway.rest.apply.requests import apply_documents
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.parameters import WriteQuery
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.route import Request, Responses, Route

MAX_DOCUMENTS = 2000
EXAMPLE_YAML = """\
metadata:
  type: MachineClasses.omni.sidero.dev
  id: metal
spec:
  matchlabels:
    - omni.sidero.dev/platform = metal
"""
_DESCRIPTION = f"""\
The body is YAML documents in omnictl's format, or one of them or a list of them as JSON; at most {MAX_DOCUMENTS}.
The output of omnictl is accepted as it is. In YAML, a scalar where a text is expected keeps its source text (`1.10`),
and anchors, aliases and merge keys are accepted within limits; a type may have any name that omnictl knows.
Objects are written in the order that Omni requires: a cluster before its machine sets. An existing object is replaced
(spec, labels, annotations); an equal one is not written, and an explicit zero value equals a field that is not set.
Locks (`omni.sidero.dev/cluster-locked`, `…/locked`) are kept unless a document sets them to `null`.

One invalid document prevents only those that depend on it, unless `atomic=true`: then everything is checked first, and
writes are reverted on failure.
If a document was not applied the response is a 422 problem (`apply-incomplete`) with the same `results`.

Each document requires the role of its type's own routes; a type without routes of its own requires admin, or
operator if it is part of cluster templates."""


class ApplyQuery(WriteQuery):
    """Query of an apply."""

    atomic = fields.Boolean(
        load_default=False, metadata={"description": "All or nothing: revert earlier writes when one fails"}
    )


class ApplyResultSchema(SpecSchema):
    """The outcome of one document."""

    optional_in_answers = frozenset({"diff", "problem"})

    index = fields.Integer(metadata={"description": "Position of the document in the request, from 0", "example": 0})
    type = fields.String(
        metadata={
            "description": "Full name of the type of the document's object; empty if the document names none",
            "example": "MachineClasses.omni.sidero.dev",
        }
    )
    id = fields.String(
        metadata={"description": "Id of the document's object; empty if the document names none", "example": "metal"}
    )
    action = fields.String(
        metadata={
            "description": "In a dry run: the action that would be taken; `taken-back`: written, then reverted",
            "enum": ["created", "updated", "unchanged", "failed", "skipped", "taken-back", "not-written"],
            "example": "created",
        }
    )
    diff = fields.List(
        fields.Nested(JSONPatchOperationSchema), metadata={"description": "RFC 6902 operations (dry run only)"}
    )
    problem = fields.Nested(ProblemSchema, metadata={"description": "Why it was not applied"})


class AppliedSchema(SpecSchema):
    """The outcomes of all documents."""

    dry_run = fields.Boolean(metadata={"description": "Whether nothing was written", "example": False})
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "Action → number of documents; actions without any are left out",
            "example": {"created": 1},
        },
    )
    results = fields.List(
        fields.Nested(ApplyResultSchema),
        metadata={"description": "The outcome of each document, in the order of the request"},
    )


class ApplyProblemSchema(AppliedSchema, ProblemSchema):
    """The problem of an apply that is incomplete, with the outcomes of all documents."""

    optional_in_answers = ProblemSchema.optional_in_answers | AppliedSchema().fields.keys()

    class Meta(ProblemSchema.Meta):
        """The options of problem schemas."""


def blueprint() -> GatewayBlueprint:
    """Return the blueprint of one application."""
    routes = GatewayBlueprint(
        "apply",
        __name__,
        url_prefix=f"{API_PREFIX}/apply",
        description="Create or update many objects at once, in omnictl's format.",
        tag=Tag("Any Omni type"),
    )

    def apply(arguments: Mapping[str, Any]) -> Response:
        outcomes = apply_documents(_documents(), dry_run=arguments["dry_run"], atomic=arguments["atomic"])
        return _answer(outcomes, dry_run=arguments["dry_run"])

    example = {"application/yaml": {"schema": {"type": "string"}, "example": EXAMPLE_YAML}}
    body = {"schema": {"oneOf": [ApplyDocumentSchema(), {"type": "array", "items": ApplyDocumentSchema()}]}}
    route = Route(
        method="POST",
        rule="",
        operation_id="apply_resources",
        role=Role.OPERATOR,
        authorized_by_omni=True,
        view=idempotent(apply),
        summary="Create or update many objects in omnictl's format",
        description=_DESCRIPTION,
        request=Request(query=ApplyQuery(), content={**example, JSON: {**body, "example": _example()}}),
        responses=Responses(
            answers={200: (AppliedSchema(), "Every document is applied")},
            problems={
                400: "The YAML or JSON cannot be parsed",
                413: "Too large, or too many documents",
                415: "Neither YAML nor JSON",
                422: "A document was not applied; see `results`",
            },
            incomplete=ApplyProblemSchema(),
        ),
    )
    add(routes, route)
    return routes


def _example() -> Any:
    return yaml_documents(EXAMPLE_YAML.encode(), most=1)[0]


def _documents() -> list[Any]:
    if request.mimetype in MEDIA_TYPES:
        found = yaml_documents(request.get_data(cache=True), most=MAX_DOCUMENTS, keep_source=True)
    else:
        body = strict_json(request, allow=(JSON, *MEDIA_TYPES))
        found = body if isinstance(body, list) else [body]
    if not found:
        raise Problem(422, "validation", "There is no document in the body.")
    if len(found) > MAX_DOCUMENTS:
        raise Problem(413, "too-large", f"There are more than {MAX_DOCUMENTS} documents.", hint="Send them in parts.")
    return found


def _answer(outcomes: Sequence[Outcome], *, dry_run: bool) -> Response:
    refuse_incomplete(outcomes, dry_run=dry_run, noun="documents")
    return json_response(summary(outcomes, dry_run=dry_run))
