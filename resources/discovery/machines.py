"""The machines that discovery lists."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import Filter, OmniResourceAdapter, Resource, ResourceAdapter
from omni_gateway.sdk.adapters import label_filter, to_list_query
from omni_gateway.sdk.omni import label_names, types

#: ``specs.MachineStatusSpec.Role`` → the word for it; a free machine has none.
_ROLES = {1: "controlplane", 2: "worker"}

_CLUSTER = label_filter("cluster", label_names.LABEL_CLUSTER, "Only members of this cluster")
_CONNECTED = Filter(
    "connected",
    "Only machines that are (not) connected to Omni now",
    lambda connected: label_names.LABEL_CONNECTED if connected else f"!{label_names.LABEL_CONNECTED}",
)


class MachinesQuery(ma.Schema):
    """Which machines are listed."""

    cluster = fields.String(
        validate=validate.Length(min=1, max=256),
        metadata={"description": _CLUSTER.description, "example": "my-cluster"},
    )
    label_selector = fields.String(
        validate=validate.Length(max=4096),
        metadata={
            "description": "Only machines whose labels match, as in lists of machines: `rack=7,zone in (a,b)`",
            "example": "rack=7",
        },
    )
    connected = fields.Boolean(metadata={"description": _CONNECTED.description, "example": True})


class MachineStatusAdapter(OmniResourceAdapter):
    """Omni's MachineStatuses: each machine that has reported, with the cluster that it is a member of."""

    def __init__(self) -> None:
        super().__init__(types.MACHINE_STATUSES)

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster that a machine is a member of; empty for a free one."""
        cluster: str = resource.derived(_cluster, _cluster)
        return cluster


def _cluster(status: Resource) -> str:
    return str(status.spec.get("cluster", ""))


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as discovery shows it. Texts are empty and lists are too where nothing is known.

    ``address``: the first of ``addresses`` that other hosts can reach: neither of the loopback nor link-local.
    ``role``: ``controlplane`` or ``worker``; empty for a free machine. ``labels``: those of its users, not Omni's own.
    """

    id: str
    hostname: str
    cluster: str
    machine_set: str
    role: str
    address: str
    addresses: tuple[str, ...]
    management_address: str
    connected: bool
    maintenance: bool
    talos_version: str
    platform: str
    region: str
    zone: str
    arch: str
    labels: dict[str, str]


def list_statuses(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Sequence[Resource]:
    """Return the statuses of the machines that a :class:`MachinesQuery` selects; 422 for an invalid selector."""
    return adapter.list(to_list_query(query, (_CLUSTER, _CONNECTED))).items


def machine_of(status: Resource) -> Machine:
    """Return a machine as its status describes it."""
    spec = status.spec
    network = spec.get("network") or {}
    platform = spec.get("platform_metadata") or {}
    addresses = tuple(text.partition("/")[0] for text in network.get("addresses") or ())
    return Machine(
        id=status.id,
        hostname=network.get("hostname", ""),
        cluster=spec.get("cluster", ""),
        machine_set=status.labels.get(label_names.LABEL_MACHINE_SET, ""),
        role=_ROLES.get(spec.get("role", 0), ""),
        address=next(filter(_is_reachable, addresses), ""),
        addresses=addresses,
        management_address=spec.get("management_address", ""),
        connected=spec.get("connected", False),
        maintenance=spec.get("maintenance", False),
        talos_version=spec.get("talos_version", ""),
        platform=platform.get("platform", ""),
        region=platform.get("region", ""),
        zone=platform.get("zone", ""),
        arch=(spec.get("hardware") or {}).get("arch", ""),
        labels=users_labels(status),
    )


def users_labels(resource: Resource) -> dict[str, str]:
    """Return the labels of an object that are not Omni's own, in the order of their names."""
    own = label_names.OWN_PREFIX
    return {key: value for key, value in sorted(resource.labels.items()) if not key.startswith(own)}


def _is_reachable(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_link_local or address.is_loopback)
