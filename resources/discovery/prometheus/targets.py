"""The document: target groups as Prometheus reads them (https://prometheus.io/docs/prometheus/latest/http_sd/)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from omni_gateway.sdk import Resource, ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument
from resources.discovery.machines import Machine, list_statuses, machine_of
from resources.discovery.prometheus.schemas import (
    PORTS,
    PrometheusTargetGroupSchema,
    PrometheusTargetsQuery,
    ports_of,
)

#: How a group begins that follows another one.
_OPENING = b',{"targets":["'
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class _Target:
    """Parts of a target, stored with a machine's status until that changes; ``heads`` and ``tail`` are JSON.

    They are the group up to its first port, by the kind of address, and after its last. Ports are the callers': whole
    groups would be kept once for each port that is asked for.
    """

    cluster: str
    role: str
    heads: Mapping[str, bytes]
    tail: bytes


def targets(adapter: ResourceAdapter, query: Mapping[str, Any]) -> bytes:
    """Return a target group for each machine that has the endpoint and an address.

    They are joined from parts of their JSON: ten thousand objects would take several times as long to make and encode.
    """
    endpoint, kind = query["endpoint"], query["address"]
    ports = ports_of(query["port"]) if "port" in query else [PORTS[endpoint]]
    first, *others = [f":{port}".encode() for port in ports]
    parts: list[bytes] = []
    for status in list_statuses(adapter, query):
        target: _Target = status.derived(_target, _target)
        if (head := target.heads[kind]) and _has(target, endpoint):
            parts += (head, first)
            for port in others:
                parts += (b'","', head.removeprefix(_OPENING), port)
            parts.append(target.tail)
    if not parts:
        return b"[]"
    parts[0] = parts[0].replace(b",", b"[", 1)
    parts.append(b"]")
    return b"".join(parts)


def _has(target: _Target, endpoint: str) -> bool:
    """Return whether a machine has an endpoint: the kubelet runs on members of clusters only."""
    if endpoint == "kubernetes":
        return target.role == "controlplane"
    return endpoint == "talos" or bool(target.cluster)


def _target(status: Resource) -> _Target:
    machine = machine_of(status)
    heads = {"node": _head(machine.address), "management": _head(machine.management_address)}
    return _Target(machine.cluster, machine.role, heads, b'"],"labels":' + orjson.dumps(_labels(machine)) + b"}")


def _head(address: str) -> bytes:
    host = _host(address)
    return _OPENING + host if host else b""


def _host(address: str) -> bytes:
    """Return an address as it stands before a port; empty for a text that is none, which JSON might have to escape."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return b""
    if found.version == 4:
        return str(found).encode()
    return b"" if found.scope_id else f"[{found}]".encode()


def _labels(machine: Machine) -> dict[str, str]:
    labels = {
        "__meta_omni_machine_id": machine.id,
        "__meta_omni_machine_hostname": machine.hostname,
        "__meta_omni_machine_address": machine.address,
        "__meta_omni_machine_management_address": machine.management_address,
        "__meta_omni_cluster": machine.cluster,
        "__meta_omni_machine_set": machine.machine_set,
        "__meta_omni_machine_role": machine.role,
        "__meta_omni_machine_connected": _flag(machine.connected),
        "__meta_omni_machine_maintenance": _flag(machine.maintenance),
        "__meta_omni_machine_talos_version": machine.talos_version,
        "__meta_omni_machine_platform": machine.platform,
        "__meta_omni_machine_region": machine.region,
        "__meta_omni_machine_zone": machine.zone,
        "__meta_omni_machine_arch": machine.arch,
    }
    for key, value in machine.labels.items():
        name = _NOT_IN_NAMES.sub("_", key)
        labels[f"__meta_omni_machine_label_{name}"] = value
        labels[f"__meta_omni_machine_labelpresent_{name}"] = "true"
    return {name: value for name, value in labels.items() if value}  # to Prometheus an empty one is none


def _flag(value: bool) -> str:
    return "true" if value else "false"


TARGETS = ComputedDocument(
    "",
    on_collection=True,
    scoped=True,
    conditional=True,
    many=True,
    role=Role.READER,
    summary="List machines as scrape targets",
    description="The answer to `http_sd_configs`: a target group for each machine that has the endpoint and an address;"
    " `[]` where there is none. Machines that have not reported to Omni yet are left out.",
    query=PrometheusTargetsQuery,
    answers=PrometheusTargetGroupSchema,
    run=targets,
)
