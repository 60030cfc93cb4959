"""The action diff: what a sync would do to each object."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import yaml
from marshmallow import fields

from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, JSONPatchOperationSchema, ProblemSchema
from omni_gateway.sdk.omni import Outcome, count_outcomes
from omni_gateway.sdk.templates import Template
from resources.clustertemplate import sync
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.comparison import compare, objects_of
from resources.clustertemplate.content import template_of
from resources.clustertemplate.reach import check_scope
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS, SentTemplateSchema


class ObjectChangeSchema(SpecSchema):
    """The change that a sync would make to one object."""

    optional_in_answers = frozenset({"problem"})

    type = fields.String(
        metadata={"description": "Type of the object, in full", "example": "MachineSets.omni.sidero.dev"}
    )
    id = fields.String(metadata={"description": "Id of the object in Omni", "example": "my-cluster-workers"})
    action = fields.String(
        metadata={
            "description": "`destroyed`: the template does not have it; `failed`: a sync could not write it, see"
            " `problem`; `skipped`: what it belongs to would fail",
            "enum": ["created", "updated", "unchanged", "destroyed", "failed", "skipped"],
            "example": "updated",
        }
    )
    diff = fields.List(fields.Nested(JSONPatchOperationSchema), metadata={"description": "RFC 6902 operations"})
    text = fields.String(
        metadata={
            "description": "The same as a unified diff of YAML; empty if nothing changes",
            "example": "--- Clusters/my-cluster\n+++ Clusters/my-cluster\n@@ -1,1 +1,1 @@\n-a: 1\n+a: 2\n",
        }
    )
    problem = fields.Nested(ProblemSchema, metadata={"description": "Why a sync would fail here"})


class TemplateDiffSchema(SpecSchema):
    """The changes that a sync would make."""

    cluster = fields.String(metadata={"description": "Name of the cluster", "example": "my-cluster"})
    changes = wire.Boolean(metadata={"description": "Whether a sync would change anything", "example": True})
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "Action → number of objects", "example": {"updated": 1, "unchanged": 2}},
    )
    objects = fields.List(
        fields.Nested(ObjectChangeSchema), metadata={"description": "Each object; those that would be removed are last"}
    )


def differences(adapter: ClusterTemplateAdapter, template: Template) -> Mapping[str, Any]:
    """Return the change that a sync of a template would make to each object."""
    outcomes = sync.planned(compare(adapter.omni, template.name, objects_of(template)), atomic=False)
    return {
        "cluster": template.name,
        "changes": any(outcome.action != "unchanged" for outcome in outcomes),
        "counts": count_outcomes(outcomes),
        "objects": [_change(outcome) for outcome in outcomes],
    }


def _change(outcome: Outcome) -> Mapping[str, Any]:
    change = {"diff": [], **outcome.to_dict(), "text": _unified(outcome)}
    del change["index"]
    return change


def _unified(outcome: Outcome) -> str:
    if outcome.shown is None:
        return ""
    name = f"{outcome.type.partition('.')[0]}/{outcome.id}"
    before, after = (yaml.safe_dump(each, allow_unicode=True).splitlines() if each else [] for each in outcome.shown)
    lines = difflib.unified_diff(before, after, name, name, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def diff(adapter: ClusterTemplateAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return the changes that a sync of a kept template would make."""
    return differences(adapter, adapter.template(id))


def diff_sent(adapter: ClusterTemplateAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return the changes that a sync of a template would make."""
    template = template_of(body)
    check_scope(adapter, template)
    return differences(adapter, template)


_ABOUT = (
    "Everything that a sync checks is checked: what it would refuse is here with its problem. What Omni adds itself is"
    " no change: finalizers, patches and members of its own, and locks that the template does not name."
)

DIFF = Action(
    "diff",
    role=Role.OPERATOR,
    summary="Compare a kept template with its cluster",
    description=_ABOUT,
    answers=TemplateDiffSchema,
    run=diff,
)
DIFF_SENT = Action(
    "diff",
    role=Role.OPERATOR,
    summary="Compare a template with its cluster",
    description=_ABOUT,
    body=SentTemplateSchema,
    example={"documents": EXAMPLE_DOCUMENTS},
    answers=TemplateDiffSchema,
    on_collection=True,
    cluster_independent=True,
    run=diff_sent,
)
