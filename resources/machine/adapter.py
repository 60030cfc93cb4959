"""Machines: joined from several of Omni's objects on a read, split into them again on a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from omni_gateway.sdk import (
    Listing,
    ListQuery,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.adapters import (
    ListResult,
    WatchSource,
    clusters_of_machines,
    find,
    find_by_ids,
    read,
    resources_by_id,
    resources_of,
    sort_and_cut,
)
from omni_gateway.sdk.clusters import quorum
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.machine import selection
from resources.machine.join import Machine, cluster_of, join_shared, own_extensions
from resources.machine.patch.change import check_change, write_change
from resources.machine.watch import MachineSource


class MachineAdapter(ResourceAdapter):
    """The machines of this Omni: free machines and members of clusters."""

    type = types.MACHINES
    authorized_by_omni = True
    cacheable_response = True
    lists_whole_objects = True
    sortable = selection.SORTABLE
    ids_are_machines = True

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that the machine is in or is to join; None for a free machine."""
        if isinstance(resource, Machine):
            return resource.cluster or None
        return clusters_of_machines(self.omni, [resource.id])[0]

    def list(self, query: ListQuery) -> Listing:
        """Return a page of the joined machines; 4 lists of Omni, or Gets of a page's parts (see ``find_by_ids``).

        A machine that has not reported yet is included, without labels.
        """
        paged = selection.pages_by_omni(query)
        selectors = selection.selectors_for_statuses(query)
        if paged:
            listed = self._page(query)
            machines = resources_of(listed)
        elif selectors:
            # Without one of the selected statuses, a machine does not match; joined without its status, it would also
            # replace the shared machine that was joined with it.
            selected = {status.id: status for status in resources_of(self._list(types.MACHINE_STATUSES, selectors))}
            machines = list(find_by_ids(self.omni, types.MACHINES, sorted(selected)).values())
        else:
            machines = resources_of(self._list(types.MACHINES))
        ids = [machine.id for machine in machines]
        every = not selectors and not (paged and query.limit)
        statuses = selected if selectors else self._of(types.MACHINE_STATUSES, ids, every=every)
        nodes = self._of(types.MACHINE_SET_NODES, ids, every=every)
        configurations = self._list(types.EXTENSIONS_CONFIGURATIONS, [label_names.LABEL_CLUSTER_MACHINE])
        own = own_extensions(resources_of(configurations))

        def join(machine: Resource) -> Machine:
            status, node = statuses.get(machine.id), nodes.get(machine.id)
            return join_shared(machine, status, node, own.get((cluster_of(status, node), machine.id)))

        if paged:
            return Listing([join(item) for item in machines], listed.total)
        chosen = [machine for machine in map(join, machines) if selection.chosen(query, machine)]
        return Listing(sort_and_cut(chosen, query, self.sortable), len(chosen))

    def _page(self, query: ListQuery) -> ListResult:
        """Return the page of Omni's Machines: of ten thousand machines, those on the page are joined."""
        descending = bool(query.sort and query.sort[0][1])
        return self.omni.resources.list(
            types.MACHINES, offset=query.offset, limit=query.limit, sort_by="id", descending=descending
        )

    def _of(self, type: str, ids: Sequence[str], *, every: bool) -> Mapping[str, Resource]:
        """Return the objects of a type of machines, by id; ``every``: of all machines."""
        return resources_by_id(self._list(type), ids) if every else find_by_ids(self.omni, type, ids)

    def _list(self, type: str, selectors: Sequence[str] = ()) -> ListResult:
        return self.omni.resources.list(type, selectors=selectors)

    def get(self, id: str) -> Machine:
        """Read and join one machine: 2 calls, and 2 more for a member of a cluster; ``NotFound`` if there is none."""
        return self._join(read(self.omni, types.MACHINES, id), find(self.omni, types.MACHINE_STATUSES, id))

    def _join(self, machine: Resource, status: Resource | None) -> Machine:
        """Join a Machine and its status; for a member of a cluster, read its other two parts."""
        if status is None or label_names.LABEL_AVAILABLE in status.labels:
            return join_shared(machine, status, None, None)
        node = find(self.omni, types.MACHINE_SET_NODES, machine.id)
        selector = f"{label_names.LABEL_CLUSTER_MACHINE} = {machine.id}"
        configurations = resources_of(self._list(types.EXTENSIONS_CONFIGURATIONS, [selector]))
        own = own_extensions(configurations).get((cluster_of(status, node), machine.id))
        return join_shared(machine, status, node, own)

    def get_written(self, written: Resource) -> Resource:
        """Return the machine after a write; if its labels changed, joined with the status that shows them."""
        machine = cast(Machine, written)
        status = machine.read_for_write.pop(types.MACHINE_STATUSES, None)
        if status is None or machine.machine is None:
            return self.get(written.id)
        return self._join(machine.machine, status)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Check a PATCH before the first write (422, 409); see :mod:`resources.machine.patch.change`."""
        check_change(self.omni, cast(Machine, existing), resource)

    def replace(self, resource: Resource) -> None:
        """Write the changes of a PATCH to Omni's objects: all of them, or none."""
        write_change(self.omni, cast(Machine, resource))

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise 409 for a control plane without ``force``: Omni first removes the machine from its cluster."""
        machine = cast(Machine, resource)
        if machine.is_control_plane and not machine.tearing_down and not options.get("force"):
            cluster = find(self.omni, types.CLUSTERS, machine.cluster)
            if cluster is not None and not cluster.tearing_down:
                raise quorum.control_plane_problem(machine.id, machine.cluster, "?force=true")

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Remove the machine from Omni; 409 for a control plane without ``force``."""
        self.check_delete_with(resource, options)
        self.delete(resource)

    def delete(self, resource: Resource) -> None:
        """Remove the machine from Omni by tearing its Link down; Omni then removes its other objects."""
        try:
            self.omni.resources.remove(types.LINKS, resource.id)
        except omni_errors.NotFound:
            return

    def watch_source(self, query: ListQuery, id: str = "") -> WatchSource:
        """Return the watch of the machines that ``query`` selects, or of the machine ``id``."""
        return MachineSource(query, id)
