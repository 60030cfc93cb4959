"""The lock of a machine: an annotation of its machine set node, during which Omni defers the machine's updates.

Omni has no maintenance mode that could be switched, so `maintenance: true|false` of a PATCH sets this lock. Only
workers can be locked.
"""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, Problem, Resource
from omni_gateway.sdk.actions import problem_for
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.clusters import cluster_lock
from omni_gateway.sdk.omni import label_names, types
from omni_gateway.sdk.omni import omni_errors as errors
from resources.machine.join import Machine


def check(omni: OmniClient, existing: Machine, wanted: Resource) -> None:
    """Raise 409, with a hint, if the machine cannot be locked or unlocked now."""
    asked, now = wanted.spec.get("locked"), existing.spec.get("locked")
    if bool(asked) == bool(now) and (asked is None or now is not None):
        return
    if existing.node is None:
        raise Problem(
            409,
            "conflict",
            f"Machine {existing.id!r} is in no cluster, so there are no updates to hold back.",
            hint="Talos's own maintenance mode cannot be switched: a machine is in it until a cluster takes it.",
        )
    if existing.is_control_plane:
        raise Problem(
            409,
            "conflict",
            f"Machine {existing.id!r} is a control plane; Omni locks workers only.",
            hint=f"To hold everything back: POST /api/v1/clusters/{existing.cluster}/actions/lock.",
        )
    if existing.node.tearing_down:
        raise Problem(409, "tearing-down", f"Machine {existing.id!r} is being taken out of its cluster.")
    cluster_lock.refuse_locked(omni, existing.cluster)


def write(omni: OmniClient, wanted: Machine) -> None:
    """Set or remove the lock; raises the stale-version error after a concurrent write."""
    node = wanted.node
    locked = bool(wanted.spec.get("locked"))
    if node is not None and locked != is_locked(node):
        _put(omni, node, locked)


def restore(omni: OmniClient, before: Machine) -> None:
    """Restore the lock to its state when the machine was read."""
    if before.node is None:
        return
    node = find(omni, types.MACHINE_SET_NODES, before.id)
    if node is not None and is_locked(node) != is_locked(before.node):
        _put(omni, node, is_locked(before.node))


def is_locked(node: Resource) -> bool:
    """Return whether a machine's node has the lock annotation, with any value."""
    return label_names.ANNOTATION_LOCKED in node.annotations


def _put(omni: OmniClient, node: Resource, locked: bool) -> None:
    body = node.to_omni()
    annotations = {key: value for key, value in node.annotations.items() if key != label_names.ANNOTATION_LOCKED}
    body["metadata"]["annotations"] = annotations | ({label_names.ANNOTATION_LOCKED: ""} if locked else {})
    try:
        omni.resources.update(body, version=node.version)
    except errors.PermissionDenied as error:
        raise problem_for(error, hint="Omni itself chose this machine for its set, and may keep its node.") from error
