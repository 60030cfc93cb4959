"""The action sync: make a cluster what its template says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import Operation, Resource, Role
from omni_gateway.sdk.actions import Action, DryRunResult, WriteQuery
from omni_gateway.sdk.omni import refuse_incomplete
from omni_gateway.sdk.templates import Template
from resources.clustertemplate import sync as syncs
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.comparison import compare, objects_of
from resources.clustertemplate.content import template_of
from resources.clustertemplate.reach import check_scope
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS, SentTemplateSchema


class SyncQuery(WriteQuery):
    """Query of a sync."""

    atomic = fields.Boolean(
        load_default=False,
        metadata={
            "description": "All or nothing: revert earlier writes when one fails. What Omni has begun to remove stays"
            " removed"
        },
    )


def _sync(
    adapter: ClusterTemplateAdapter, template: Template, *, dry_run: bool, atomic: bool
) -> Operation | DryRunResult:
    comparison = compare(adapter.omni, template.name, objects_of(template))
    if not dry_run:
        return syncs.synced(adapter, comparison, atomic=atomic)
    outcomes = syncs.planned(comparison, atomic=atomic)
    refuse_incomplete(outcomes, dry_run=True)
    nothing_of_its_own = Resource(template.name)
    results = [outcome.to_dict() for outcome in outcomes]
    return DryRunResult(nothing_of_its_own, nothing_of_its_own, answer={"results": results})


def sync(
    adapter: ClusterTemplateAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool, atomic: bool
) -> Operation | DryRunResult:
    """Sync a kept template."""
    return _sync(adapter, adapter.template(id), dry_run=dry_run, atomic=atomic)


def sync_sent(
    adapter: ClusterTemplateAdapter, body: Mapping[str, Any], *, dry_run: bool, atomic: bool
) -> Operation | DryRunResult:
    """Sync a template that is not kept."""
    template = template_of(body)
    check_scope(adapter, template)
    return _sync(adapter, template, dry_run=dry_run, atomic=atomic)


_ABOUT = """\
Writes the objects of the template in Omni's order, as `POST /apply` does, and removes what the cluster has and the\
 template does not: machine sets and members first, everything else when they are gone. A dry run says so before, in\
 the `results` of its `details`. If an object was not applied the answer is a 422 problem (`apply-incomplete`) with the\
 `results`; nothing is removed then. An object that has the id of one of the template's and belongs to another cluster\
 is refused (409).

The operation has succeeded when what was removed is gone; `status` shows how the cluster comes up."""

SYNC = Action(
    "sync",
    role=Role.OPERATOR,
    summary="Make the cluster what its kept template says",
    description=_ABOUT,
    query=SyncQuery,
    operation=syncs.SYNC,
    run=sync,
)
SYNC_SENT = Action(
    "sync",
    role=Role.OPERATOR,
    summary="Make a cluster what a template says",
    description=_ABOUT,
    query=SyncQuery,
    body=SentTemplateSchema,
    example={"documents": EXAMPLE_DOCUMENTS},
    operation=syncs.SYNC,
    on_collection=True,
    cluster_independent=True,
    run=sync_sent,
)
