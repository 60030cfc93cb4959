"""Machine set nodes in Omni."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.sdk import Problem, Resource
from omni_gateway.sdk.adapters import ClusterPartAdapter
from omni_gateway.sdk.clusters import quorum, relations, talos_fit
from omni_gateway.sdk.omni import label_names, types


class MachineSetNodeAdapter(ClusterPartAdapter):
    """Machine set nodes; their labels are completed from the machine set that they name.

    Removing that of a control plane needs ``force``, as its reset does.
    """

    ids_are_machines = True

    def __init__(self) -> None:
        super().__init__(types.MACHINE_SET_NODES)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete cluster and role from the machine set.

        Raises 422 where labels and set contradict each other and for a machine that cannot join, 409 for a locked
        cluster.
        """
        named = extras.get("machineset", "")
        machine_set = relations.complete_node(self.omni, resource, named)
        if named and machine_set is None:
            raise Problem(422, "validation", errors={"machineset": [f"There is no machine set {named!r}."]})
        super().check(resource, existing, extras)
        if existing is None:
            talos_fit.refuse_misfit(self.omni, resource.id, resource.labels[label_names.LABEL_CLUSTER])

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return also the cluster of the machine set in the field ``machineset``."""
        joined = relations.clusters_of_set(self.omni, extras.get("machineset", ""))
        return [*super().other_clusters_affected(resource, existing, extras), *joined]

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise 409 if the cluster is locked, and for a control plane without ``force``."""
        self.check_delete(resource)
        if not resource.tearing_down:
            quorum.refuse_control_plane(self.omni, resource, force=bool(options.get("force")), how="?force=true")

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Tear the node down; 409 for a control plane without ``force``."""
        self.check_delete_with(resource, options)
        self.delete(resource)
