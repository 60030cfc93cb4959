"""The check before a control plane is removed: its cluster may lose its etcd quorum, or its only etcd member."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.http.problems import Problem
from omni_gateway.model.label_names import LABEL_CLUSTER, LABEL_CONTROL_PLANE, LABEL_MACHINE_SET, control_planes
from omni_gateway.model.lookup import find
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.parameters import WriteQuery


class ForceQuery(WriteQuery):
    """Query of a removal that may remove a control plane from its cluster."""

    force = fields.Boolean(
        load_default=False,
        metadata={"description": "Needed for a control plane: its cluster may lose its quorum"},
    )


def is_control_plane(member: Resource) -> bool:
    """Return True if a machine set node or cluster machine is a control plane, by its role label or its set's name."""
    cluster = member.labels.get(LABEL_CLUSTER, "")
    named = bool(cluster) and member.labels.get(LABEL_MACHINE_SET) == control_planes(cluster)
    return named or LABEL_CONTROL_PLANE in member.labels


def refuse_control_plane(omni: OmniClient, member: Resource, *, force: bool, how: str) -> None:
    """Raise 409 if a member is a control plane of a cluster that is not being removed, unless ``force``.

    ``how`` is the way to force it, for the hint, e.g. ``?force=true``.
    """
    cluster = member.labels.get(LABEL_CLUSTER, "")
    if force or not is_control_plane(member):
        return
    found = find(omni, types.CLUSTERS, cluster)
    if found is None or found.tearing_down:
        return
    raise control_plane_problem(member.id, cluster, how)


def control_plane_problem(machine: str, cluster: str, how: str) -> Problem:
    """Return the 409 for removing a control plane from its cluster."""
    return Problem(
        409,
        "conflict",
        f"Machine {machine!r} is a control plane of cluster {cluster!r}.",
        hint=f"The cluster may lose its quorum, or its only etcd. If that is meant, send {how}.",
    )
