"""The status of a template's cluster as a tree: cluster, machine sets, machines, each with what it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Resource, Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, ComputedDocument
from omni_gateway.sdk.adapters import find, find_labelled, object_url
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import enums, label_names, types
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.content import template_of
from resources.clustertemplate.reach import check_scope
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS, SentTemplateSchema


class MachineSetPhase(IntEnum):
    """``specs.MachineSetPhase``."""

    Unknown = 0
    ScalingUp = 1
    ScalingDown = 2
    Running = 3
    Destroying = 4
    Failed = 5
    Reconfiguring = 6
    Upgrading = 7


_cluster_phase = wire.Enum(enums.ClusterPhase)
_set_phase = wire.Enum(MachineSetPhase)
_kubernetes_phase = wire.Enum(enums.KubernetesUpgradePhase)
_talos_phase = wire.Enum(enums.TalosUpgradePhase)


class MachineStatusNodeSchema(SpecSchema):
    """A machine of a machine set."""

    id = fields.String(metadata={"description": "Id of the machine", "example": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"})
    stage = fields.String(metadata={"description": "What Talos is doing", "example": "RUNNING"})
    ready = wire.Boolean(metadata={"description": "Whether the machine is ready in the cluster", "example": True})
    locked = wire.Boolean(metadata={"description": "Whether updates leave the machine out", "example": False})
    waits_for = fields.String(
        metadata={"description": "What it waits for, for people; empty if for nothing", "example": ""}
    )


class MachineSetStatusNodeSchema(SpecSchema):
    """A machine set of the cluster."""

    id = fields.String(metadata={"description": "Id of the machine set", "example": "my-cluster-control-planes"})
    phase = fields.String(metadata={"description": "What the set does", "example": "Running"})
    ready = wire.Boolean(metadata={"description": "Whether it runs and all its machines are healthy", "example": True})
    waits_for = fields.String(
        metadata={"description": "What it waits for, for people; empty if for nothing", "example": ""}
    )
    machines = fields.List(fields.Nested(MachineStatusNodeSchema), metadata={"description": "Those of the set, by id"})


class UpgradeNodeSchema(SpecSchema):
    """An upgrade of the cluster."""

    phase = fields.String(metadata={"description": "Where it stands: `Done` when there is none", "example": "Done"})
    waits_for = fields.String(metadata={"description": "What it does or waits for; or its error", "example": ""})


class TemplateStatusSchema(SpecSchema):
    """The status of a template's cluster."""

    cluster = fields.String(metadata={"description": "Name of the cluster", "example": "my-cluster"})
    exists = wire.Boolean(metadata={"description": "Whether Omni has the cluster", "example": True})
    phase = fields.String(metadata={"description": "What its machine sets do", "example": "RUNNING"})
    ready = wire.Boolean(metadata={"description": "Whether all machine sets run and are ready", "example": True})
    healthy = wire.Boolean(
        metadata={
            "description": "Whether the cluster and its sets run and are ready, and no upgrade is under way",
            "example": True,
        }
    )
    waits_for = fields.String(
        metadata={"description": "What it waits for, for people; empty if for nothing", "example": ""}
    )
    kubernetes_upgrade = fields.Nested(UpgradeNodeSchema, metadata={"description": "Where a new version stands"})
    talos_upgrade = fields.Nested(
        UpgradeNodeSchema, metadata={"description": "Where a new version or schematic stands"}
    )
    machine_sets = fields.List(
        fields.Nested(MachineSetStatusNodeSchema), metadata={"description": "Those of the cluster, by id"}
    )


def tree(omni: OmniClient, name: str) -> Mapping[str, Any]:
    """Return the status of a cluster, which need not exist."""
    cluster, status = find(omni, types.CLUSTERS, name), find(omni, types.CLUSTER_STATUSES, name)
    spec = status.spec if status else {}
    sets = _machine_sets(omni, name)
    kubernetes = _upgrade(find(omni, types.KUBERNETES_UPGRADE_STATUSES, name), _kubernetes_phase)
    talos = _upgrade(find(omni, types.TALOS_UPGRADE_STATUSES, name), _talos_phase)
    phase, ready = _cluster_phase.render(spec.get("phase", 0)), bool(spec.get("ready"))
    runs = phase == "RUNNING" and ready and all(each["ready"] and each["phase"] == "Running" for each in sets)
    return {
        "cluster": name,
        "exists": cluster is not None,
        "phase": phase,
        "ready": ready,
        "healthy": runs and kubernetes["phase"] == talos["phase"] == "Done",
        "waits_for": _waits_of_cluster(cluster, status),
        "kubernetes_upgrade": kubernetes,
        "talos_upgrade": talos,
        "machine_sets": sets,
    }


def _waits_of_cluster(cluster: Resource | None, status: Resource | None) -> str:
    if cluster is None:
        return "The template has not been synced: there is no such cluster."
    if cluster.tearing_down:
        return "The cluster is being removed."
    if status is None:
        return "Omni has not looked at the cluster yet."
    steps = [
        (status.spec.get("has_connected_control_planes"), "no control plane machine is connected"),
        (status.spec.get("controlplaneReady"), "the control plane is not ready"),
        (status.spec.get("kubernetesAPIReady"), "the Kubernetes API does not answer"),
        (status.spec.get("ready"), "a machine set is not ready"),
    ]
    return "; ".join(text for done, text in steps if not done)


def _upgrade(status: Resource | None, phases: wire.Enum) -> Mapping[str, str]:
    spec = status.spec if status else {}
    texts = (spec.get("error"), spec.get("step"), spec.get("status"))
    return {"phase": phases.render(spec.get("phase", 0)), "waits_for": next((text for text in texts if text), "")}


def _machine_sets(omni: OmniClient, cluster: str) -> Sequence[Mapping[str, Any]]:
    by_cluster = label_names.LABEL_CLUSTER, cluster
    sets = find_labelled(omni, types.MACHINE_SETS, *by_cluster)
    statuses = {each.id: each for each in find_labelled(omni, types.MACHINE_SET_STATUSES, *by_cluster)}
    nodes = find_labelled(omni, types.MACHINE_SET_NODES, *by_cluster)
    members = {each.id: each for each in find_labelled(omni, types.CLUSTER_MACHINE_STATUSES, *by_cluster)}
    waiting = {each.machine: each.reason for each in member_waits.unready_members(omni, cluster)}
    found = []
    for each in sorted(sets, key=lambda item: item.id):
        status = statuses.get(each.id)
        spec = status.spec if status else {}
        found.append(
            {
                "id": each.id,
                "phase": _set_phase.render(spec.get("phase", 0)),
                "ready": bool(spec.get("ready")),
                "waits_for": _waits_of_set(each, spec),
                "machines": [
                    _machine(node, members.get(node.id), waiting.get(node.id, ""))
                    for node in sorted(nodes, key=lambda item: item.id)
                    if node.labels.get(label_names.LABEL_MACHINE_SET) == each.id
                ],
            }
        )
    return found


def _waits_of_set(machine_set: Resource, spec: Mapping[str, Any]) -> str:
    if machine_set.tearing_down:
        return "It is being removed."
    if spec.get("error"):
        return str(spec["error"])
    machines = spec.get("machines") or {}
    requested, healthy = machines.get("requested", 0), machines.get("healthy", 0)
    return "" if healthy >= requested else f"{healthy} of {requested} machines are healthy"


def _machine(node: Resource, status: Resource | None, waits_for: str) -> Mapping[str, Any]:
    return {
        "id": node.id,
        "stage": member_waits.stage_of(status),
        "ready": bool(status and status.spec.get("ready")),
        "locked": label_names.ANNOTATION_LOCKED in node.annotations,
        "waits_for": "It is leaving its machine set." if node.tearing_down else waits_for,
    }


def _read(omni: OmniClient, id: str) -> Operation:
    """Return the status as an operation, which can be waited for and followed."""
    found = tree(omni, id)
    return Operation(
        READY.name,
        id,
        "succeeded" if found["healthy"] else "running",
        found["waits_for"],
        target=object_url("clusters", id),
        details=found,
        waiting_for=[] if found["healthy"] else member_waits.unready_members(omni, id),
    )


READY = OperationKind(
    "cluster-template-status",
    _read,
    "A template's cluster on its way to health; `details` is its status as a tree",
)


def status(adapter: ClusterTemplateAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the status of a kept template's cluster."""
    return tree(adapter.omni, adapter.get(id).id)


def status_of_sent(adapter: ClusterTemplateAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return the status of the cluster of a template that is not kept."""
    template = template_of(body)
    check_scope(adapter, template)
    return tree(adapter.omni, template.name)


_ABOUT = (
    "The same is in the `details` of the operation `cluster-template-status/{id}`, which can be waited for (`wait=60s`)"
    " and followed as a stream."
)

STATUS = ComputedDocument(
    "status",
    role=Role.READER,
    summary="The status of a template's cluster, as a tree",
    description=_ABOUT,
    answers=TemplateStatusSchema,
    run=status,
)
STATUS_SENT = Action(
    "status",
    role=Role.READER,
    summary="The status of the cluster of a template, as a tree",
    description=_ABOUT,
    body=SentTemplateSchema,
    example={"documents": EXAMPLE_DOCUMENTS},
    answers=TemplateStatusSchema,
    on_collection=True,
    cluster_independent=True,
    run=status_of_sent,
)
