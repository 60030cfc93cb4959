"""Cluster machines: Omni's controllers own them, machine set nodes are what people may write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    Created,
    OmniResourceAdapter,
    Operation,
    Problem,
    Resource,
    find,
    locks,
    names,
    object_url,
    relations,
    talos_fit,
    types,
)
from resources.clustermachine.joining import KIND

#: ``specs.ClusterMachineStatusSpec.Stage``: BOOTING and RUNNING.
_API_STAGES = (1, 4)
_HINT = "POST makes a machine set node and DELETE removes it; what is in a cluster machine is Omni's own."


class ClusterMachineStatusAdapter(OmniResourceAdapter):
    """How cluster machines are; whether Talos' API answers is derived as Omni derived it until 1.8."""

    def __init__(self) -> None:
        super().__init__(types.CLUSTER_MACHINE_STATUSES)

    def shown(self, resource: Resource) -> Resource:
        """Add ``apid_available``: a connected control plane that boots or runs."""
        if "apid_available" in resource.spec:
            return resource
        marks = (names.LABEL_CONTROL_PLANE, names.LABEL_CONNECTED)
        answers = resource.spec.get("stage") in _API_STAGES and all(mark in resource.labels for mark in marks)
        return replace(resource, spec={**resource.spec, "apid_available": answers})


class ClusterMachineAdapter(OmniResourceAdapter):
    """Read cluster machines; a create makes the machine set node that Omni makes one of, a delete takes it away."""

    def __init__(self) -> None:
        super().__init__(types.CLUSTER_MACHINES, hint=_HINT)

    def foresee(self, resource: Resource | None, existing: Resource | None) -> None:
        """Foresee nothing of Omni's: what is written are machine set nodes."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete the labels of the node that will be made.

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
        cluster = resource.labels[names.LABEL_CLUSTER]
        locks.refuse_locked(self.omni, cluster)
        talos_fit.refuse_misfit(self.omni, resource.id, cluster)

    def clusters_besides(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return the cluster of the machine set that is to be joined; None of one that is not there."""
        machine_set = extras.get("machineset", "")
        joined: Sequence[str | None] = relations.clusters_of_set(self.omni, machine_set)
        if machine_set and not joined:
            joined = [None]
        return [*super().clusters_besides(resource, existing, extras), *joined]

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Name the machine for its machine set; the operation ends when Omni has made the cluster machine."""
        self.omni.resources.create(types.MACHINE_SET_NODES, resource.id, {}, labels=resource.labels)
        return Operation(KIND, resource.id, "running", target=object_url("clustermachines", resource.id))

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 when the cluster is locked."""
        locks.refuse_locked(self.omni, resource.labels.get(names.LABEL_CLUSTER, ""))

    def delete(self, resource: Resource) -> None:
        """Take the machine out of its machine set; 409 where none names it (a machine class picked it)."""
        self.check_delete(resource)
        if find(self.omni, types.MACHINE_SET_NODES, resource.id) is None:
            raise Problem(409, "conflict", f"No machine set node names {resource.id!r}.", hint="Scale its machine set.")
        self.omni.resources.remove(types.MACHINE_SET_NODES, resource.id)

    def refuse_owned(self, existing: Resource) -> None:
        """Refuse nothing: what is removed is the node, which nobody owns; changes are refused by ``check``."""
