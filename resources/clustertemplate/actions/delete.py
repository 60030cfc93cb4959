"""The action delete-cluster: remove the cluster of a template; the template stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Problem, Resource, ResourceAdapter, Role
from omni_gateway.sdk.actions import Action, DryRunResult, WriteQuery, current_gateway, note_cluster
from omni_gateway.sdk.omni import apply, refuse_incomplete
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.comparison import compare
from resources.clustertemplate.content import template_of
from resources.clustertemplate.reach import check_scope
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS, SentTemplateSchema

#: The plugin whose objects the clusters are, and its kind of operations on those that are removed.
_CLUSTERS, _REMOVAL = "clusters", "cluster-destroy"


class DeleteClusterQuery(WriteQuery):
    """Query of the removal of a template's cluster."""

    force = fields.String(
        validate=validate.OneOf(["disconnected"]),
        metadata={
            "description": "`disconnected`: also remove from Omni those of its machines that Omni cannot reach, as"
            " `DELETE /clusters/{id}` does. They are not wiped"
        },
    )


def _read(omni: OmniClient, id: str) -> Operation:
    kind = current_gateway().operations.get(_REMOVAL)
    if kind is None:
        raise _without_clusters()
    return replace(kind.read(omni, id), kind=DELETION.name)


DELETION = OperationKind("cluster-template-delete", _read, "Removal of a template's cluster; as `cluster-destroy`")


def _without_clusters() -> Problem:
    return Problem(501, "not-implemented", "This gateway has no clusters: their plugin is not loaded.")


def _clusters() -> ResourceAdapter:
    plugin = current_gateway().plugins.get(_CLUSTERS)
    if plugin is None:
        raise _without_clusters()
    return current_gateway().bound(plugin.adapter)


def _delete(
    adapter: ClusterTemplateAdapter, name: str, *, dry_run: bool, force: str | None
) -> Operation | DryRunResult:
    note_cluster(name)
    clusters, options = _clusters(), {"force": force} if force else {}
    cluster = clusters.get(name)
    # Before the cluster goes, for then its machines are not known any more.
    released = compare(adapter.omni, name, []).wanted if not cluster.tearing_down else []
    if dry_run:
        clusters.check_delete_with(cluster, options)
        refuse_incomplete(apply(released, dry_run=True), dry_run=True)
        also = clusters.also_deleted(cluster, options)
        gone = Resource(name)
        return DryRunResult(gone, gone, additional_objects=released, also_deleted=[cluster, *also])
    clusters.check_delete_with(cluster, options)
    refuse_incomplete(apply(released), dry_run=False)
    if not cluster.tearing_down or force:
        clusters.delete_with(cluster, options)
    return _read(adapter.omni, name)


def delete(
    adapter: ClusterTemplateAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool, force: str | None = None
) -> Operation | DryRunResult:
    """Remove the cluster of a kept template."""
    if adapter.get(id).spec["sync"] == "enforce":
        text = "The template is enforced, so that the cluster would be made again; set `sync` to `manual` before."
        raise Problem(409, "conflict", text)
    return _delete(adapter, id, dry_run=dry_run, force=force)


def delete_sent(
    adapter: ClusterTemplateAdapter, body: Mapping[str, Any], *, dry_run: bool, force: str | None = None
) -> Operation | DryRunResult:
    """Remove the cluster of a template."""
    template = template_of(body)
    check_scope(adapter, template)
    return _delete(adapter, template.name, dry_run=dry_run, force=force)


_ABOUT = (
    "As DELETE of the cluster: its machines are reset, lose their data and become free; a locked cluster is refused"
    " (409). Kernel arguments and install disks that the template gave to machines stay, as the machines' own."
)

DELETE = Action(
    "delete-cluster",
    role=Role.OPERATOR,
    summary="Remove the cluster of a kept template",
    description=f"{_ABOUT} The template stays; DELETE removes it.",
    query=DeleteClusterQuery,
    operation=DELETION,
    run=delete,
)
DELETE_SENT = Action(
    "delete-cluster",
    role=Role.OPERATOR,
    summary="Remove the cluster of a template",
    description=_ABOUT,
    query=DeleteClusterQuery,
    body=SentTemplateSchema,
    example={"documents": EXAMPLE_DOCUMENTS},
    operation=DELETION,
    on_collection=True,
    cluster_independent=True,
    run=delete_sent,
)
