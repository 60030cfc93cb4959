"""The objects of a new cluster besides the Cluster: patches, machine sets, and a node per machine.

Pure functions without calls to Omni: they turn a POST's fields into a list of objects in the order of their writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omni_gateway.sdk import Resource
from omni_gateway.sdk.omni import label_names, types
from resources.cluster.schemas.create import UNLIMITED, UpdateStrategy

_ALLOCATION_UNLIMITED = 1
_COPIED_FIELDS = ("update_strategy_config", "delete_strategy", "delete_strategy_config", "bootstrap_spec")


@dataclass(frozen=True, slots=True)
class NewSet:
    """A machine set to be created; ``field`` is its place in the request, ``options`` its members."""

    field: str
    id: str
    role: str
    options: Mapping[str, Any]

    @property
    def machines(self) -> Sequence[str]:
        """Return the ids of the machines that the request names."""
        return self.options.get("machines") or ()

    @property
    def machine_class(self) -> str:
        """Return the machine class; empty if machines are named."""
        return self.options.get("machine_class") or ""


@dataclass(frozen=True, slots=True)
class Part:
    """An object to be created, and the field of the request that it comes from."""

    field: str
    resource: Resource


def sets_of(cluster: str, extras: Mapping[str, Any]) -> list[NewSet]:
    """Return the requested machine sets, the control plane first."""
    found = []
    if control_plane := extras.get("control_plane"):
        found.append(
            NewSet("control_plane", label_names.control_planes(cluster), label_names.LABEL_CONTROL_PLANE, control_plane)
        )
    for number, workers in enumerate(extras.get("workers") or ()):
        id = label_names.workers(cluster, workers.get("name") or "")
        found.append(NewSet(f"workers.{number}", id, label_names.LABEL_WORKER, workers))
    return found


def parts_of(cluster: str, extras: Mapping[str, Any]) -> list[Part]:
    """Return a cluster's parts in the order of their writes: patches first, so no machine starts without them."""
    sets = sets_of(cluster, extras)
    parts = list(_patches("config_patches", f"200-cluster-{cluster}", {label_names.LABEL_CLUSTER: cluster}, extras))
    for new in sets:
        labels = {label_names.LABEL_CLUSTER: cluster, label_names.LABEL_MACHINE_SET: new.id}
        parts.extend(_patches(f"{new.field}.config_patches", f"400-{new.id}", labels, new.options))
    parts.extend(Part(new.field, _machine_set(cluster, new)) for new in sets)
    for new in sets:
        parts.extend(_nodes(cluster, new))
    return parts


def _patches(field: str, prefix: str, labels: dict[str, str], options: Mapping[str, Any]) -> Iterator[Part]:
    for number, patch in enumerate(options.get("config_patches") or ()):
        resource = Resource(
            id=f"{prefix}-{patch['name']}",
            type=types.CONFIG_PATCHES,
            spec={"data": patch["data"]},
            labels=dict(labels),
            annotations={label_names.ANNOTATION_NAME: patch["name"]},
        )
        yield Part(f"{field}.{number}", resource)


def _machine_set(cluster: str, new: NewSet) -> Resource:
    spec = {name: new.options[name] for name in _COPIED_FIELDS if new.options.get(name) is not None}
    spec["update_strategy"] = new.options.get("update_strategy", int(UpdateStrategy.Rolling))
    if new.machine_class:
        spec["machine_allocation"] = _allocation(new.machine_class, new.options["machine_count"])
    labels = {**(new.options.get("labels") or {}), label_names.LABEL_CLUSTER: cluster, new.role: ""}
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
