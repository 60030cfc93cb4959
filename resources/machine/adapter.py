"""Machines: joined from Omni's objects for reading, taken apart again for writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from omni_gateway.sdk import (
    Change,
    Listing,
    ListQuery,
    ListResult,
    Memo,
    Resource,
    ResourceAdapter,
    clusters_of_machines,
    find,
    identity,
    label_names,
    omni_errors,
    quorum,
    read,
    resources_of,
    sort_and_cut,
    types,
)
from resources.machine import selection
from resources.machine.join import Machine, cluster_of, join_shared, own_extensions
from resources.machine.update import check_change, write_change
from resources.machine.watch import watch_machines


class MachineAdapter(ResourceAdapter):
    """The machines of this Omni, free ones and members of clusters."""

    type = types.MACHINES
    authorized_by_omni = True
    cacheable_response = True

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
        parts = self._parts(query)
        question = (str(query.selector), query.search, query.sort, tuple(sorted(query.filters.items())))
        found = _FOUND.made(question, [identity(part) for part in parts], lambda: _found(parts, query))
        end = query.offset + query.limit if query.limit else None
        return Listing(found[query.offset : end], len(found))

    def _parts(self, query: ListQuery) -> Sequence[ListResult]:
        """Return all machines, the statuses asked for and, where any machine is in a cluster, nodes and extensions."""
        statuses = self._list(types.MACHINE_STATUSES, selection.selectors_for_statuses(query))
        nodes = configurations = ListResult((), 0)
        if identity(statuses) is not None or _has_members(resources_of(statuses)):
            nodes = self._list(types.MACHINE_SET_NODES)
            configurations = self._list(types.EXTENSIONS_CONFIGURATIONS, [label_names.LABEL_CLUSTER_MACHINE])
        return self._list(types.MACHINES), statuses, nodes, configurations

    def _list(self, type: str, selectors: Sequence[str] = ()) -> ListResult:
        return self.omni.resources.list(type, selectors=selectors)

    def get(self, id: str) -> Machine:
        """Read and join one machine: two calls, and two more for a member of a cluster."""
        machine = read(self.omni, types.MACHINES, id)
        status = find(self.omni, types.MACHINE_STATUSES, id)
        if status is None or label_names.LABEL_AVAILABLE in status.labels:
            return join_shared(machine, status, None, None)
        node = find(self.omni, types.MACHINE_SET_NODES, id)
        selector = f"{label_names.LABEL_CLUSTER_MACHINE} = {id}"
        configurations = resources_of(self._list(types.EXTENSIONS_CONFIGURATIONS, [selector]))
        own = own_extensions(configurations).get((cluster_of(status, node), id))
        return join_shared(machine, status, node, own)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse, before anything is written, whatever of a PATCH cannot be; see :mod:`resources.machine.update`."""
        check_change(self.omni, cast(Machine, existing), resource)

    def replace(self, resource: Resource) -> None:
        """Write what a PATCH changed to the objects that hold it: all of it, or nothing."""
        write_change(self.omni, cast(Machine, resource))

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise 409 for a control plane without ``force``: Omni takes the machine out of its cluster first."""
        machine = cast(Machine, resource)
        if machine.is_control_plane and not machine.tearing_down and not options.get("force"):
            cluster = find(self.omni, types.CLUSTERS, machine.cluster)
            if cluster is not None and not cluster.tearing_down:
                raise quorum.control_plane_problem(machine.id, machine.cluster, "?force=true")

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Remove the machine from Omni; a control plane takes ``force``."""
        self.check_delete_with(resource, options)
        self.delete(resource)

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
            return selection.chosen(query, machine)

        with watch_machines(self.omni, wanted, id) as changes:
            yield changes


_FOUND: Memo[list[Resource]] = Memo()


def _found(parts: Sequence[ListResult], query: ListQuery) -> list[Resource]:
    """Join the parts, and choose and sort what is asked for."""
    machines, *others, configurations = (resources_of(part) for part in parts)
    statuses, nodes = ({item.id: item for item in part} for part in others)
    own = own_extensions(configurations)
    joined = (
        join_shared(machine, status, node, own.get((cluster_of(status, node), machine.id)))
        for machine in machines
        for status, node in [(statuses.get(machine.id), nodes.get(machine.id))]
    )
    found = [machine for machine in joined if selection.chosen(query, machine)]
    return sort_and_cut(found, replace(query, offset=0, limit=0), selection.SORTABLE)


def _has_members(statuses: Sequence[Resource]) -> bool:
    """Whether any machine is in a cluster; Omni labels those that are not."""
    return any(label_names.LABEL_AVAILABLE not in status.labels for status in statuses)
