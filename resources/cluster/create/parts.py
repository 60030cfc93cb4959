"""The objects of a new cluster besides the Cluster: what a cluster template with the same content would make.

Pure functions without calls to Omni: they turn a POST's fields into a list of objects in the order of their writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omni_gateway.sdk import Resource
from omni_gateway.sdk.omni import label_names, types, write_rank
from omni_gateway.sdk.templates import (
    ANNOTATION_MANAGED,
    BootstrapSpec,
    Cluster,
    ControlPlane,
    Document,
    Duration,
    HealthCheck,
    Install,
    Kubernetes,
    Machine,
    MachineClass,
    Manifest,
    ManifestMode,
    Patch,
    Rolling,
    Strategy,
    StrategyType,
    Workers,
    rendered,
)
from resources.cluster.schemas.create import UpdateStrategy

#: Names of a template's fields → names of the fields of a POST.
_FIELDS = {
    "patches": "config_patches",
    "kubernetes.manifests": "manifests",
    "kubernetes.healthchecks": "health_checks",
    "systemExtensions": "system_extensions",
    "kernelArgs": "kernel_args",
    "install": "install_disk",
}
#: Labels that Omni reads a machine's place from; a request does not choose them.
_COMPUTED_LABELS = frozenset(
    {
        label_names.LABEL_CLUSTER,
        label_names.LABEL_CLUSTER_MACHINE,
        label_names.LABEL_MACHINE_SET,
        label_names.LABEL_CONTROL_PLANE,
        label_names.LABEL_WORKER,
    }
)


@dataclass(frozen=True, slots=True)
class NewSet:
    """A machine set to be created; ``field`` is its place in the request, ``options`` its members."""

    field: str
    id: str
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
        found.append(NewSet("control_plane", label_names.control_planes(cluster), control_plane))
    for number, workers in enumerate(extras.get("workers") or ()):
        id = label_names.workers(cluster, workers.get("name") or "")
        found.append(NewSet(f"workers.{number}", id, workers))
    return found


def parts_of(cluster: str, extras: Mapping[str, Any]) -> list[Part]:
    """Return a cluster's parts in the order of their writes: patches first, so no machine starts without them."""
    documents = dict(_documents(cluster, extras))
    places = list(documents)
    parts = [
        Part(_field(places[each.document], each.field), _of_no_template(each.resource))
        for each in rendered(list(enumerate(documents.values())))
        if each.resource.type != types.CLUSTERS
    ]
    return sorted(parts, key=lambda part: write_rank(part.resource.type))


def _of_no_template(resource: Resource) -> Resource:
    """Return an object without the annotation that says that a template cares for it."""
    annotations = {name: value for name, value in resource.annotations.items() if name != ANNOTATION_MANAGED}
    return replace(resource, annotations=annotations)


def _documents(cluster: str, extras: Mapping[str, Any]) -> list[tuple[str, Document]]:
    """Return the documents of the template with a POST's content, each with its place in the request."""
    found: list[tuple[str, Document]] = [("", _cluster(cluster, extras))]
    if control_plane := extras.get("control_plane"):
        found.append(("control_plane", ControlPlane(**_set(control_plane))))
    for number, workers in enumerate(extras.get("workers") or ()):
        name = label_names.workers(cluster, workers.get("name") or "").removeprefix(f"{cluster}-")
        found.append((f"workers.{number}", Workers(name=name, **_set(workers))))
    found.extend((f"machines.{number}", _machine(each)) for number, each in enumerate(extras.get("machines") or ()))
    return found


def _field(place: str, field: str) -> str:
    """Return the field of the request that a rendered object comes from; ``field`` is the template's."""
    name, _, number = field.rpartition(".") if field.rpartition(".")[2].isdigit() else (field, "", "")
    return ".".join(filter(None, (place, _FIELDS.get(name, name), number)))


def _cluster(id: str, extras: Mapping[str, Any]) -> Cluster:
    kubernetes = Kubernetes(
        manifests=[_manifest(each) for each in extras.get("manifests") or ()],
        healthchecks=[_health_check(each) for each in extras.get("health_checks") or ()],
    )
    return Cluster(name=id, kubernetes=kubernetes, **_described(extras))


def _described(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts that a cluster, a set and a machine have in common."""
    return {
        "patches": [_patch(each) for each in options.get("config_patches") or ()],
        "system_extensions": options.get("system_extensions"),
        "kernel_args": options.get("kernel_args"),
    }


def _patch(patch: Mapping[str, Any]) -> Patch:
    return Patch(name=patch["name"], id_override=patch.get("id") or "", inline=patch["data"])


def _manifest(manifest: Mapping[str, Any]) -> Manifest:
    return Manifest(
        name=manifest["name"],
        mode=ManifestMode(manifest["mode"]),
        inline=manifest["data"],
    )


def _health_check(check: Mapping[str, Any]) -> HealthCheck:
    interval = Duration.read(check["interval"]) if check.get("interval") else Duration(0)
    return HealthCheck(name=check["name"], job=check["job"], interval=interval)


def _set(options: Mapping[str, Any]) -> dict[str, Any]:
    machine_class = options.get("machine_class")
    restore = options.get("bootstrap_spec")
    return {
        "labels": _own_labels(options),
        "machines": list(options.get("machines") or ()),
        "machine_class": MachineClass(name=machine_class, size=options["machine_count"]) if machine_class else None,
        "bootstrap_spec": BootstrapSpec(**restore) if restore else None,
        **{name: _strategy(options, name) for name in ("update_strategy", "delete_strategy", "upgrade_strategy")},
        **_described(options),
    }


def _strategy(options: Mapping[str, Any], name: str) -> Strategy | None:
    type, config = options.get(name), options.get(f"{name}_config")
    rolling = (config or {}).get("rolling")
    if type is None and rolling is None:
        return None
    return Strategy(
        type=None if type is None else StrategyType(UpdateStrategy(type).name),
        rolling=None if rolling is None else Rolling(max_parallelism=rolling.get("max_parallelism") or 0),
    )


def _machine(options: Mapping[str, Any]) -> Machine:
    return Machine(
        name=options["id"],
        labels=_own_labels(options),
        annotations=dict(options.get("annotations") or {}),
        locked=bool(options.get("locked")),
        install=Install(
            disk=options.get("install_disk") or "", disk_selector=options.get("install_disk_selector") or ""
        ),
        **_described(options),
    )


def _own_labels(options: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in (options.get("labels") or {}).items() if name not in _COMPUTED_LABELS}
