"""One machine, joined from four of Omni's objects.

Omni's Machine exists for each machine and has its connection; the MachineStatus of the same id has nearly everything
else, labels included, and may be created later; the MachineSetNode, if there is one, has the lock; an
ExtensionsConfiguration may be for this machine alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omni_gateway.sdk import Resource
from omni_gateway.sdk.omni import label_names

#: Factor of the versions of machine and status; node and extensions fill the range below it (see ``_version``).
_VERSION_RANGE = 4096


@dataclass(slots=True)
class Machine(Resource):
    """A joined machine, with references to its parts.

    ``read_for_write``: further objects that a write of this machine has read, by their types, so that its check and
    its write read them once. A changed copy (``dataclasses.replace``) shares them.
    """

    status: Resource | None = None
    node: Resource | None = None
    own_extensions: Resource | None = None
    machine: Resource | None = None
    read_for_write: dict[str, Resource | None] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        """The cluster that the machine is a member of or is to join; empty for a free one."""
        return cluster_of(self.status, self.node)

    @property
    def machine_set(self) -> str:
        """The machine set that it is in; empty for a free one."""
        labels = self.node.labels if self.node else self.status.labels if self.status else {}
        return labels.get(label_names.LABEL_MACHINE_SET, "")

    @property
    def is_control_plane(self) -> bool:
        """Whether it is, or is to be, a control plane: as in Omni, by its machine set's name."""
        return bool(self.cluster) and self.machine_set == label_names.control_planes(self.cluster)


class LazyMachine(Machine):
    """A machine of cached parts, which merges their specs on each access and does not store the result.

    The parts stay in memory anyway; a merged spec for each of thousands of machines would double that.
    """

    __slots__ = ("_own",)
    _own: dict[str, Any] | None

    @property
    def spec(self) -> dict[str, Any]:
        """Return the merged spec; a changed copy (``dataclasses.replace``) has a spec of its own."""
        if self._own is not None:
            return self._own
        return _spec(self, self.machine.spec if self.machine else {}, self.status.spec if self.status else {})

    @spec.setter
    def spec(self, value: dict[str, Any]) -> None:
        self._own = value


def cluster_of(status: Resource | None, node: Resource | None) -> str:
    """Return the cluster of the machine's node, else the one in its status, which it may be about to leave."""
    if node is not None:
        return node.labels.get(label_names.LABEL_CLUSTER, "")
    return str(status.derived("cluster", lambda each: each.spec.get("cluster", ""))) if status else ""


def join(machine: Resource, status: Resource | None, node: Resource | None, own: Resource | None) -> Machine:
    """Return the joined machine; without a status it has no labels and unknown fields are empty."""
    parts = [part for part in (machine, status, node, own) if part is not None]
    kind = Machine if machine.memo is None else LazyMachine
    joined = kind(
        id=machine.id,
        labels=status.labels if status else {},
        annotations=status.annotations if status else {},
        namespace=machine.namespace,
        type=machine.type,
        version=_version(machine, status, node, own),
        phase=machine.phase,
        owner=machine.owner,
        created=machine.created,
        updated=max((part.updated for part in parts if part.updated), default=None),
        finalizers=machine.finalizers,
        status=status,
        node=node,
        own_extensions=own,
        machine=machine,
    )
    if isinstance(joined, LazyMachine):
        joined._own = None
    else:
        joined.spec = _spec(joined, machine.spec, status.spec if status else {})
    return joined


def join_shared(machine: Resource, status: Resource | None, node: Resource | None, own: Resource | None) -> Machine:
    """Join shared parts (see ``resources_of``), memoized on the Machine object until one of the parts changes."""
    joined: Machine | None = machine.memo.get(join) if machine.memo is not None else None
    if joined is None or joined.status is not status or joined.node is not node or joined.own_extensions is not own:
        joined = join(machine, status, node, own)
        if machine.memo is not None:
            machine.memo[join] = joined.shared()
    return joined


def _spec(joined: Machine, machine: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the two specs: the connection from the Machine, which is written first, the rest from the status.

    ``hostname``, ``platform`` and ``arch`` are copied to the top level, so that lists can be sorted by them.
    """
    spec = {
        **status,
        "connected": machine.get("connected", False),
        "management_address": machine.get("management_address") or status.get("management_address", ""),
        "use_grpc_tunnel": machine.get("use_grpc_tunnel", False),
        "machine_set": joined.machine_set,
        "hostname": (status.get("network") or {}).get("hostname", ""),
        "platform": (status.get("platform_metadata") or {}).get("platform", ""),
        "arch": (status.get("hardware") or {}).get("arch", ""),
    }
    if joined.node is not None:
        spec["locked"] = label_names.ANNOTATION_LOCKED in joined.node.annotations
    if joined.own_extensions is not None:
        spec["extensions"] = joined.own_extensions.spec.get("extensions") or []
    return spec


def with_address(labels: Mapping[str, str], address: str) -> dict[str, str]:
    """Return the labels of the status and the address label, which only Omni's Machine has.

    It is added when labels are rendered or matched: storing it would take one more dictionary per machine.
    """
    return {label_names.LABEL_ADDRESS: address, **labels} if address else dict(labels)


def _version(machine: Resource, status: Resource | None, node: Resource | None, own: Resource | None) -> int:
    """Return one version for the four parts, which a write to any of them changes.

    Machine and status have the same lifetime, so the sum of their versions only grows. Node and extensions are created
    and removed, so theirs fill the range below: a plain sum could return to an old value with other content.
    """
    lasting = machine.version + (status.version if status else 0)
    passing = (node.version if node else 0) + (own.version if own else 0)
    return lasting * _VERSION_RANGE + passing % _VERSION_RANGE


def own_extensions(configurations: Iterable[Resource]) -> dict[tuple[str, str], Resource]:
    """Return the ExtensionsConfigurations for single machines, by (cluster, machine).

    If there are several for one machine, Omni takes the one with the highest id.
    """
    chosen: dict[tuple[str, str], Resource] = {}
    for item in sorted(configurations, key=lambda item: item.id):
        key = (item.labels.get(label_names.LABEL_CLUSTER, ""), item.labels.get(label_names.LABEL_CLUSTER_MACHINE, ""))
        if all(key) and not item.tearing_down:
            chosen[key] = item
    return chosen
