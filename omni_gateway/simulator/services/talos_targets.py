"""Which machines a Talos call is for: its metadata `node`, `nodes` and `cluster` (or `context`), resolved.

As at a real Omni, this comes before any question of signature and role.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import grpc

from omni_gateway.simulator import kinds
from omni_gateway.simulator.errors import InvalidArgument, NotFound, Unavailable, Unimplemented
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.services.resources import metadata_values
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store


@dataclass(frozen=True)
class Target:
    """A machine that a call reaches; `hostname` is its name in the answer, empty on a direct call."""

    id: str
    cluster: str
    hostname: str = ""


def resolve(store: Store, context: grpc.ServicerContext) -> list[Target]:
    """Return the machines that a call is for; a call for another runtime is :class:`Unimplemented`."""
    if metadata_values(context, "runtime") != ["Talos"]:
        raise Unimplemented("Talos is reached with the metadata runtime: Talos")
    cluster = next(iter(metadata_values(context, "cluster") + metadata_values(context, "context")), "")
    direct = metadata_values(context, "node")
    through = [name.strip() for value in metadata_values(context, "nodes") for name in value.split(",")]
    if direct:
        return [_target(_find(store, direct[0], cluster))]
    if through:
        return _through_control_plane(store, through, cluster)
    if not cluster:
        raise InvalidArgument("the call names neither a node nor a cluster")
    return [_target(_reachable_control_plane(store, cluster))]


def _through_control_plane(store: Store, names: Sequence[str], cluster: str) -> list[Target]:
    machines = [_find(store, name, cluster) for name in names]
    clusters = {res.spec["cluster"] for res in machines}
    if len(clusters) > 1:
        raise InvalidArgument("the nodes belong to different clusters")
    _reachable_control_plane(store, clusters.pop())
    return [_target(res, res.spec["management_address"]) for res in machines]


def _target(machine: Resource, hostname: str = "") -> Target:
    if not machine.spec.get("connected"):
        raise Unavailable(f"the machine {machine.id} cannot be reached")
    return Target(machine.id, machine.spec.get("cluster", ""), hostname)


def _find(store: Store, name: str, cluster: str) -> Resource:
    if not name:
        raise InvalidArgument("the node is empty")
    direct = store.peek("default", kinds.MACHINE_STATUS, name)
    found = [direct] if direct is not None else [res for res in _machines(store) if name in _names(res)]
    if cluster:
        found = [res for res in found if res.spec.get("cluster") == cluster]
    if not found:
        raise NotFound(f"there is no node {name!r}" + (f" in the cluster {cluster!r}" if cluster else ""))
    if len(found) > 1:
        raise InvalidArgument(f"{name!r} names more than one node: name its cluster, too")
    return found[0]


def _machines(store: Store) -> Iterable[Resource]:
    return store.view("default", kinds.MACHINE_STATUS)


def _names(res: Resource) -> list[str]:
    network = res.spec["network"]
    addresses = [address.partition("/")[0] for address in network["addresses"]]
    return [network["hostname"], res.spec["management_address"], *addresses]


def _reachable_control_plane(store: Store, cluster: str) -> Resource:
    for res in _machines(store):
        is_control_plane = res.spec.get("cluster") == cluster and res.spec.get("role") == CONTROL_PLANE
        if cluster and is_control_plane and res.spec.get("connected"):
            return res
    raise Unavailable(f"the cluster {cluster!r} has no control plane that can be reached")
