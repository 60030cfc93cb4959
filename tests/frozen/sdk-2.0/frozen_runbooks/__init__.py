"""Objects in the gateway's store: fields of each kind, a check of its own, views of its own, an action that answers."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import marshmallow as ma
from flask import Response, jsonify

from omni_gateway.sdk import (
    ADMIN_READ_WRITE,
    READ,
    FieldErrors,
    Problem,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    Role,
    SpecSchema,
    fields,
    require_role,
)
from omni_gateway.sdk.actions import Action, DryRunResult, current_principal, idempotent, public
from omni_gateway.sdk.adapters import StoredResourceAdapter
from omni_gateway.sdk.redaction import mask_tokens


class Severity(IntEnum):
    """How bad it is."""

    LOW = 0
    HIGH = 1


class FrozenContactSchema(SpecSchema):
    """Who helps."""

    name = ma.fields.String(required=True)
    pager = fields.Secret()


class FrozenRunbookSchema(ResourceSchema):
    """Steps to take."""

    title = ma.fields.String(required=True)
    severity = fields.Enum(Severity)
    takes = fields.Duration()
    reviewed = fields.Timestamp()
    runs = fields.Int64(dump_only=True)
    steps = ma.fields.List(ma.fields.String())
    contact = fields.Message(FrozenContactSchema)
    log = fields.Masked(mask_tokens)


class RunbookAdapter(StoredResourceAdapter):
    """The store's adapter, with a rule."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a title in capitals."""
        super().check(resource, existing, extras)
        errors = FieldErrors()
        if resource.spec.get("title", "").isupper():
            errors.add("title", "Must not be in capitals.")
        errors.raise_if_any()

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 for what is still needed."""
        if resource.labels.get("needed") == "yes":
            raise Problem(409, "conflict", f"Runbook {resource.id!r} is needed.", hint="Take the label away.")

    def delete(self, resource: Resource) -> None:
        """Remove it, unless it is needed."""
        self.check_delete(resource)
        super().delete(resource)


class FrozenTrialSchema(SpecSchema):
    """What a trial found."""

    steps = fields.Integer()
    by = ma.fields.String()


def trial(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Count the steps; it changes nothing, so a dry run answers the same."""
    runbook = adapter.get(id)
    return {"steps": len(runbook.spec.get("steps") or ()), "by": current_principal().name}


def forget(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any] | DryRunResult:
    """Remove all drafts of the collection."""
    drafts = [each for each in adapter.polled_items() if each.labels.get("draft")]
    answer = {"steps": len(drafts), "by": "drafts"}
    if dry_run:
        return DryRunResult(None, None, also_deleted=drafts, answer=answer)
    for each in drafts:
        adapter.delete(each)
    return answer


class DraftsAdapter(RunbookAdapter):
    """With a list of all objects for the action on the collection."""

    def polled_items(self) -> list[Resource]:
        """Return all objects."""
        return [*self.items({})]


plugin = ResourcePlugin(
    name="frozen-runbooks",
    singular="frozen-runbook",
    description="What to do when a cluster is in trouble",
    schema=FrozenRunbookSchema,
    adapter=DraftsAdapter("frozen-runbooks/runbooks", sortable=frozenset({"title"})),
    roles={**ADMIN_READ_WRITE, **READ},
    actions=[
        Action("trial", role=Role.READER, summary="Count its steps", answers=FrozenTrialSchema, run=trial),
        Action(
            "forget",
            role=Role.ADMIN,
            summary="Remove all drafts",
            answers=FrozenTrialSchema,
            on_collection=True,
            cluster_independent=True,
            run=forget,
        ),
    ],
    example={"id": "etcd-full", "title": "etcd is full", "steps": ["defragment"]},
    sdk=">=2.0,<3",
)


@plugin.blueprint.get("/board")
@require_role(Role.OPERATOR)
def board() -> Response:
    """Return a text for operators."""
    return Response("all is well", mimetype="text/plain")


@plugin.blueprint.get("/badge.svg")
@public
def badge() -> Response:
    """Return a picture for everybody."""
    return Response("<svg xmlns='http://www.w3.org/2000/svg'/>", mimetype="image/svg+xml")


@plugin.blueprint.post("/bells")
@require_role(Role.OPERATOR)
@idempotent
def bells() -> Response:
    """Ring, once for a key."""
    answer: Response = jsonify({"rung": True})
    return answer
