"""The objects that make a working cluster out of an empty one: patches, machine sets, and a node per machine.

Pure: nothing here asks Omni. What a POST says becomes a list of objects in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omni_gateway.sdk import Resource
from omni_gateway.sdk.omni import label_names, types
from resources.cluster.composition_schemas import UNLIMITED, UpdateStrategy

_ALLOCATION_UNLIMITED = 1
_PASSED_ON = ("update_strategy_config", "delete_strategy", "delete_strategy_config", "bootstrap_spec")


@dataclass(frozen=True, slots=True)
class NewSet:
    """A machine set to be made; ``field`` is where the request speaks of it."""

    field: str
    id: str
    role: str
    said: Mapping[str, Any]

    @property
    def machines(self) -> Sequence[str]:
        """Return the ids of the machines that the request names."""
        return self.said.get("machines") or ()

    @property
    def machine_class(self) -> str:
        """Return the machine class, or nothing when machines are named."""
        return self.said.get("machine_class") or ""


@dataclass(frozen=True, slots=True)
class Part:
    """An object to be made, and the field of the request that asks for it."""

    field: str
    resource: Resource


def sets_of(cluster: str, extras: Mapping[str, Any]) -> list[NewSet]:
    """Return the machine sets that a request asks for, the control plane first."""
    found = []
    if control_plane := extras.get("control_plane"):
        found.append(
            NewSet("control_plane", label_names.control_planes(cluster), label_names.LABEL_CONTROL_PLANE, control_plane)
        )
    for number, said in enumerate(extras.get("workers") or ()):
        id = label_names.workers(cluster, said.get("name") or "")
        found.append(NewSet(f"workers.{number}", id, label_names.LABEL_WORKER, said))
    return found


def parts_of(cluster: str, extras: Mapping[str, Any]) -> list[Part]:
    """Return everything that is made besides the Cluster: patches first, so that no machine starts without them."""
    sets = sets_of(cluster, extras)
    parts = list(_patches("config_patches", f"200-cluster-{cluster}", {label_names.LABEL_CLUSTER: cluster}, extras))
    for new in sets:
        labels = {label_names.LABEL_CLUSTER: cluster, label_names.LABEL_MACHINE_SET: new.id}
        parts.extend(_patches(f"{new.field}.config_patches", f"400-{new.id}", labels, new.said))
    parts.extend(Part(new.field, _machine_set(cluster, new)) for new in sets)
    for new in sets:
        parts.extend(_nodes(cluster, new))
    return parts


def _patches(field: str, prefix: str, labels: dict[str, str], said: Mapping[str, Any]) -> Iterator[Part]:
    for number, patch in enumerate(said.get("config_patches") or ()):
        resource = Resource(
            id=f"{prefix}-{patch['name']}",
            type=types.CONFIG_PATCHES,
            spec={"data": patch["data"]},
            labels=dict(labels),
            annotations={label_names.ANNOTATION_NAME: patch["name"]},
        )
        yield Part(f"{field}.{number}", resource)


def _machine_set(cluster: str, new: NewSet) -> Resource:
    spec = {name: new.said[name] for name in _PASSED_ON if new.said.get(name) is not None}
    spec["update_strategy"] = new.said.get("update_strategy", int(UpdateStrategy.Rolling))
    if new.machine_class:
        spec["machine_allocation"] = _allocation(new.machine_class, new.said["machine_count"])
    labels = {**(new.said.get("labels") or {}), label_names.LABEL_CLUSTER: cluster, new.role: ""}
    return Resource(id=new.id, type=types.MACHINE_SETS, spec=spec, labels=labels)


def _allocation(machine_class: str, count: int | str) -> dict[str, Any]:
    if count == UNLIMITED:
        return {"name": machine_class, "allocation_type": _ALLOCATION_UNLIMITED}
    return {"name": machine_class, "machine_count": count}


def _nodes(cluster: str, new: NewSet) -> Iterator[Part]:
    labels = {label_names.LABEL_CLUSTER: cluster, label_names.LABEL_MACHINE_SET: new.id, new.role: ""}
    for number, machine in enumerate(new.machines):
        node = Resource(id=machine, type=types.MACHINE_SET_NODES, labels=dict(labels))
        yield Part(f"{new.field}.machines.{number}", node)
