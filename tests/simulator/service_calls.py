"""Calls of the management and the machine service, signed like all others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf import empty_pb2

from omni_gateway.simulator import kinds
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import machine_pb2_grpc, management_pb2_grpc
from tests.simulator.caller import DEADLINE, LABEL, Caller

EMPTY = empty_pb2.Empty()
VERSIONS = {"kubernetes_version": "1.35.6", "talos_version": "1.13.7"}


def management(caller: Caller, name: str, request: Any = EMPTY, *metadata: tuple[str, str]) -> Any:
    """Call the management service; a stream comes back as the call that can be iterated."""
    method = getattr(management_pb2_grpc.ManagementServiceStub(caller.channel), name)
    signed = caller.metadata(name, *metadata, service="management.ManagementService")
    return method(request, metadata=signed, timeout=DEADLINE)


def talos(caller: Caller, name: str, request: Any = EMPTY, **metadata: str) -> Any:
    """Call the machine service with `runtime: Talos` and the metadata given."""
    method = getattr(machine_pb2_grpc.MachineServiceStub(caller.channel), name)
    signed = caller.metadata(name, *({"runtime": "Talos"} | metadata).items(), service="machine.MachineService")
    return method(request, metadata=signed, timeout=DEADLINE)


def make_cluster(store: Store, wait_until: Callable[..., Any], name: str, machines: list[str]) -> None:
    """Make a cluster of one control plane and workers, and wait until it can be used."""

    def make(kind: str, id_: str, spec: dict[str, Any] | None = None, **labels: str) -> None:
        marks = {LABEL + key.replace("_", "-"): value for key, value in labels.items()}
        store.create(Resource(namespace_of(kind), kind, id_, spec or {}, marks))

    make(kinds.CLUSTER, name, dict(VERSIONS))
    make(kinds.MACHINE_SET, f"{name}-control-planes", cluster=name, role_controlplane="")
    make(kinds.MACHINE_SET, f"{name}-workers", cluster=name, role_worker="")
    for machine, suffix in zip(
        machines, itertools.chain(["control-planes"], itertools.repeat("workers")), strict=False
    ):
        role = "role_controlplane" if suffix == "control-planes" else "role_worker"
        make(kinds.MACHINE_SET_NODE, machine, **{"cluster": name, "machine_set": f"{name}-{suffix}", role: ""})
    wait_until(lambda: spec_of(store, kinds.CLUSTER_STATUS, name).get("ready"))
    wait_until(lambda: spec_of(store, kinds.KUBERNETES_UPGRADE_STATUS, name))


def spec_of(store: Store, kind: str, id_: str) -> dict[str, Any]:
    """Return an object's spec as stored, empty when there is no such object."""
    res = store.find(namespace_of(kind), kind, id_)
    return res.spec if res else {}


def first(stream: Iterator[Any], count: int) -> list[Any]:
    """Take the first messages of a stream."""
    return list(itertools.islice(stream, count))
