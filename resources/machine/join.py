"""One machine out of four of Omni's objects.

Omni's Machine says that a machine exists and how it is reached; the MachineStatus of the same id says nearly all that
people want to know, labels included, and may come later; the MachineSetNode, if there is one, tells whether it is
locked; an ExtensionsConfiguration may be for it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omni_gateway.sdk import Resource
from omni_gateway.sdk.omni import label_names

#: How much room the versions of the smaller parts get below those of machine and status (see ``_version``).
_ROOM = 4096


@dataclass(slots=True)
class Machine(Resource):
    """A joined machine, which still knows its parts.

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
        """The cluster that the machine is a member of, or is to be; empty for a free one."""
        return cluster_of(self.status, self.node)

    @property
    def machine_set(self) -> str:
        """The machine set that it is in; empty for a free one."""
        labels = self.node.labels if self.node else self.status.labels if self.status else {}
        return labels.get(label_names.LABEL_MACHINE_SET, "")

    @property
    def is_control_plane(self) -> bool:
        """Whether it is, or is to be, a control plane; Omni knows that by its machine set's name."""
        return bool(self.cluster) and self.machine_set == label_names.control_planes(self.cluster)


class KeptMachine(Machine):
    """A machine whose parts the cache holds: their specs are put together when asked for, and nobody keeps that."""

    __slots__ = ("_machine", "_own")
    _machine: Resource
    _own: dict[str, Any] | None

    @property
    def spec(self) -> dict[str, Any]:
        """Return the specs in one; of a changed copy (``dataclasses.replace``): its own."""
        if self._own is not None:
            return self._own
        return _spec(self, self._machine.spec, self.status.spec if self.status else {})

    @spec.setter
    def spec(self, value: dict[str, Any]) -> None:
        self._own = value


def cluster_of(status: Resource | None, node: Resource | None) -> str:
    """Return the cluster that a node puts a machine into, else the one that its status says it is still in."""
    if node is not None:
        return node.labels.get(label_names.LABEL_CLUSTER, "")
    return str(status.derived("cluster", lambda each: each.spec.get("cluster", ""))) if status else ""


def join(machine: Resource, status: Resource | None, node: Resource | None, own: Resource | None) -> Machine:
    """Return the machine in one; without a status it has no labels yet and all that is unknown is empty."""
    parts = [part for part in (machine, status, node, own) if part is not None]
    kind = Machine if machine.memo is None else KeptMachine
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
    )
    if isinstance(joined, KeptMachine):
        joined._machine, joined._own = machine, None
    else:
        joined.machine = machine
        joined.spec = _spec(joined, machine.spec, status.spec if status else {})
    return joined


def join_shared(machine: Resource, status: Resource | None, node: Resource | None, own: Resource | None) -> Machine:
    """Join parts that are shared (see ``resources_of``): once for the same parts, as long as the machine is kept."""
    joined: Machine | None = machine.memo.get(join) if machine.memo is not None else None
    if joined is None or joined.status is not status or joined.node is not node or joined.own_extensions is not own:
        joined = join(machine, status, node, own)
        if machine.memo is not None:
            machine.memo[join] = joined.shared()
    return joined


def _spec(joined: Machine, machine: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, Any]:
    """Put the two specs into one: of the connection the Machine knows first, of the rest only the status does.

    ``hostname``, ``platform`` and ``arch`` stand at the top too, so that lists can be sorted by them.
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
    """Return labels as callers read them: Omni's Machine has one more than its status, the address.

    It is added where labels are rendered or matched, for a dictionary of each of thousands of machines would be kept
    for this one label.
    """
    return {label_names.LABEL_ADDRESS: address, **labels} if address else dict(labels)


def _version(machine: Resource, status: Resource | None, node: Resource | None, own: Resource | None) -> int:
    """Make one version of four: a write to any of them changes it.

    Machine and status live as long as each other, so their sum only grows. Node and extensions come and go, so theirs
    fills the room below: a plain sum could come back to an old value with other content.
    """
    lasting = machine.version + (status.version if status else 0)
    passing = (node.version if node else 0) + (own.version if own else 0)
    return lasting * _ROOM + passing % _ROOM


def own_extensions(configurations: Iterable[Resource]) -> dict[tuple[str, str], Resource]:
    """Return, by (cluster, machine), the ExtensionsConfiguration for that machine alone.

    Where there are several, Omni takes the one with the highest id (facts: machine-auth-detail 2.2).
    """
    chosen: dict[tuple[str, str], Resource] = {}
    for item in sorted(configurations, key=lambda item: item.id):
        key = (item.labels.get(label_names.LABEL_CLUSTER, ""), item.labels.get(label_names.LABEL_CLUSTER_MACHINE, ""))
        if all(key) and not item.tearing_down:
            chosen[key] = item
    return chosen
