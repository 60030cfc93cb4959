"""Cluster machines: Omni's controllers own them, so writes go to machine set nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.adapters import Created, find
from omni_gateway.sdk.clusters import (
    cluster_lock,
    quorum,
    relations,
    talos_fit,
)
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.clustermachine.join_operation import joining

#: ``specs.ClusterMachineStatusSpec.Stage``: BOOTING and RUNNING.
_API_STAGES = (1, 4)
_HINT = "POST makes a machine set node and DELETE removes it; what is in a cluster machine is Omni's own."


class ClusterMachineStatusAdapter(OmniResourceAdapter):
    """Statuses of cluster machines; ``apid_available`` is derived as Omni derived it until 1.8."""

    def __init__(self) -> None:
        super().__init__(types.CLUSTER_MACHINE_STATUSES)

    def shown(self, resource: Resource) -> Resource:
        """Add ``apid_available``: true for a connected control plane that boots or runs."""
        if "apid_available" in resource.spec:
            return resource
        labels = (label_names.LABEL_CONTROL_PLANE, label_names.LABEL_CONNECTED)
        answers = resource.spec.get("stage") in _API_STAGES and all(label in resource.labels for label in labels)
        return replace(resource, spec={**resource.spec, "apid_available": answers})


class ClusterMachineAdapter(OmniResourceAdapter):
    """Cluster machines; a create creates the machine set node from which Omni makes one, a delete removes the node."""

    ids_are_machines = True

    def __init__(self) -> None:
        super().__init__(types.CLUSTER_MACHINES, hint=_HINT)

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Predict nothing: the objects written are machine set nodes, not cluster machines."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete the labels of the node that will be created.

        Raises 422 for a machine set that is not there and for a machine that cannot join, 409 for a locked cluster,
        403 for any change.
        """
        if existing is not None:
            super().refuse_owned(existing)
            return
        name = extras.get("machineset", "")
        if relations.complete_node(self.omni, resource, name) is None or not name:
            text = f"There is no machine set {name!r}." if name else "Names the machine set that the machine joins."
            raise Problem(422, "validation", errors={"machineset": [text]})
        cluster = resource.labels[label_names.LABEL_CLUSTER]
        cluster_lock.refuse_locked(self.omni, cluster)
        talos_fit.refuse_misfit(self.omni, resource.id, cluster)

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return the cluster of the machine set to join; None for a machine set that does not exist."""
        machine_set = extras.get("machineset", "")
        joined: Sequence[str | None] = relations.clusters_of_set(self.omni, machine_set)
        if machine_set and not joined:
            joined = [None]
        return [*super().other_clusters_affected(resource, existing, extras), *joined]

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Create the machine set node; the operation ends when Omni has created the cluster machine."""
        self.omni.resources.create(types.MACHINE_SET_NODES, resource.id, {}, labels=resource.labels)
        return joining(self.omni, resource)

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 if the cluster is locked."""
        cluster_lock.refuse_locked(self.omni, resource.labels.get(label_names.LABEL_CLUSTER, ""))

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise 409 if the cluster is locked, and for a control plane without ``force``."""
        self.check_delete(resource)
        quorum.refuse_control_plane(self.omni, resource, force=bool(options.get("force")), how="?force=true")

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Remove the machine from its machine set; 409 for a control plane without ``force``."""
        self.check_delete_with(resource, options)
        self.delete(resource)

    def delete(self, resource: Resource) -> None:
        """Remove the machine from its machine set; 409 if it has no node (a machine class allocated it)."""
        self.check_delete(resource)
        if find(self.omni, types.MACHINE_SET_NODES, resource.id) is None:
            raise Problem(409, "conflict", f"No machine set node names {resource.id!r}.", hint="Scale its machine set.")
        with suppress(omni_errors.NotFound):
            self.omni.resources.remove(types.MACHINE_SET_NODES, resource.id)

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse nothing: a delete removes the node, which has no owner; ``check`` refuses changes."""
