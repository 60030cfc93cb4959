"""The watch of machines, which are joined from four of Omni's types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from omni_gateway.sdk import ListQuery, Resource
from omni_gateway.sdk.adapters import View, WatchedType, WatchSource
from omni_gateway.sdk.omni import label_names, types
from resources.machine import selection
from resources.machine.join import Machine, cluster_of, join_shared, own_extensions


class MachineSource(WatchSource):
    """The watch of the machines that ``query`` selects, or of the machine ``id`` if given."""

    def __init__(self, query: ListQuery, id: str) -> None:
        self._query = query
        self._id = id
        of_machine = [f"{label_names.LABEL_CLUSTER_MACHINE} = {id}"] if id else []
        self.triggers = (
            WatchedType(types.MACHINES, id=id),
            WatchedType(types.MACHINE_STATUSES, id=id),
            WatchedType(types.MACHINE_SET_NODES, id=id),
            WatchedType(types.EXTENSIONS_CONFIGURATIONS, selectors=of_machine),
        )

    def affected(self, type: str, old: Resource | None, new: Resource | None) -> Iterable[str]:
        """Return the part's machine; of an extensions configuration also the one that it was for before."""
        parts = [part for part in (old, new) if part is not None]
        if type == types.EXTENSIONS_CONFIGURATIONS:
            ids = [part.labels.get(label_names.LABEL_CLUSTER_MACHINE, "") for part in parts]
        else:
            ids = [part.id for part in parts]
        return [id for id in ids if id and (not self._id or id == self._id)]

    def ids(self, view: View) -> Iterable[str]:
        """Return the ids of all machines."""
        return [self._id] if self._id else [machine.id for machine in view.all(types.MACHINES)]

    def build(self, view: View, id: str) -> Resource | None:
        """Join the parts of a machine; None if there is no such machine, or the query does not select it."""
        machine = view.get(types.MACHINES, id)
        if machine is None:
            return None
        status, node = view.get(types.MACHINE_STATUSES, id), view.get(types.MACHINE_SET_NODES, id)
        cluster = cluster_of(status, node)
        configurations = (
            view.labelled(types.EXTENSIONS_CONFIGURATIONS, label_names.LABEL_CLUSTER_MACHINE, id) if cluster else ()
        )
        joined = join_shared(machine, status, node, own_extensions(configurations).get((cluster, id)))
        # Not by `matches`: a machine that leaves the selection is sent as it was last selected.
        return joined if selection.chosen(self._query, joined) else None

    def owner(self, view: View, resource: Resource) -> str | None:
        """Return the cluster that the machine is in or is to join."""
        return cast(Machine, resource).cluster or None
