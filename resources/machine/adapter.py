"""Machines: joined from Omni's objects for reading, taken apart again for writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from omni_gateway.sdk import (
    Change,
    Listing,
    ListQuery,
    Resource,
    ResourceAdapter,
    clusters_of_machines,
    find,
    names,
    omni_errors,
    resources_of,
    sort_and_cut,
    types,
)
from resources.machine import selecting
from resources.machine.changing import check_change, write_change
from resources.machine.join import Machine, cluster_of, join, join_shared, own_extensions
from resources.machine.watching import watch_machines


class MachineAdapter(ResourceAdapter):
    """The machines of this Omni, free ones and members of clusters."""

    type = types.MACHINES
    omni_decides = True

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that the machine is in, or is to be in."""
        if isinstance(resource, Machine):
            return resource.cluster or None
        return clusters_of_machines(self.omni, [resource.id])[0]

    def list(self, query: ListQuery) -> Listing:
        """Join all machines and choose from them.

        Two lists whatever their number, and two small ones more where any machine is in a cluster. A machine that has
        not reported yet is among them, without labels.
        """
        statuses = self._all(types.MACHINE_STATUSES, selecting.selectors_for_statuses(query))
        nodes, own = self._membership() if _has_members(statuses) else ({}, {})
        joined = (
            join_shared(machine, status, node, own.get((cluster_of(status, node), id)))
            for id, machine in self._all(types.MACHINES).items()
            for status, node in [(statuses.get(id), nodes.get(id))]
        )
        found = [machine for machine in joined if selecting.chosen(query, machine)]
        return Listing(sort_and_cut(found, query, selecting.SORTABLE), len(found))

    def _all(self, type: str, selectors: Sequence[str] = ()) -> dict[str, Resource]:
        return {item.id: item for item in resources_of(self.omni.resources.list(type, selectors=selectors))}

    def _membership(self) -> tuple[dict[str, Resource], dict[tuple[str, str], Resource]]:
        configurations = self._all(types.EXTENSIONS_CONFIGURATIONS, [names.LABEL_CLUSTER_MACHINE])
        return self._all(types.MACHINE_SET_NODES), own_extensions(configurations.values())

    def get(self, id: str) -> Machine:
        """Read and join one machine: two calls, and two more for a member of a cluster."""
        machine = Resource.from_omni(self.omni.resources.get(types.MACHINES, id))
        status = find(self.omni, types.MACHINE_STATUSES, id)
        if status is None or names.LABEL_AVAILABLE in status.labels:
            return join(machine, status, None, None)
        node = find(self.omni, types.MACHINE_SET_NODES, id)
        selector = f"{names.LABEL_CLUSTER_MACHINE} = {id}"
        configurations = self._all(types.EXTENSIONS_CONFIGURATIONS, [selector])
        own = own_extensions(configurations.values()).get((cluster_of(status, node), id))
        return join(machine, status, node, own)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse, before anything is written, whatever of a PATCH cannot be; see :mod:`resources.machine.changing`."""
        check_change(self.omni, cast(Machine, existing), resource)

    def replace(self, resource: Resource) -> None:
        """Write what a PATCH changed to the objects that hold it: all of it, or nothing."""
        write_change(self.omni, cast(Machine, resource))

    def delete(self, resource: Resource) -> None:
        """Remove the machine from Omni: its Link is torn down, and all else of it goes with that."""
        try:
            self.omni.resources.remove(types.LINKS, resource.id)
        except omni_errors.NotFound:
            return

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow the joined machines."""

        def wanted(machine: Machine) -> bool:
            return selecting.chosen(query, machine)

        with watch_machines(self.omni, wanted, id) as changes:
            yield changes


def _has_members(statuses: Mapping[str, Resource]) -> bool:
    """Whether any machine is in a cluster; Omni labels those that are not."""
    return any(names.LABEL_AVAILABLE not in status.labels for status in statuses.values())
