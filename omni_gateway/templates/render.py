"""From a template to Omni's objects, in the order and with the content that omnictl gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from omni_gateway.model import label_names
from omni_gateway.model.resource import Resource
from omni_gateway.omni import types
from omni_gateway.templates.content import content_text
from omni_gateway.templates.model import (
    UNLIMITED,
    Cluster,
    ControlPlane,
    Document,
    HealthCheck,
    Inline,
    Machine,
    MachineSet,
    Manifest,
    ManifestMode,
    Patch,
    Strategy,
    StrategyType,
    Template,
)

#: Of the objects that a template makes and that have no label of the cluster, and of the cluster.
ANNOTATION_MANAGED = f"{label_names.OWN_PREFIX}managed-by-cluster-templates"
#: The number that the id of the first patch begins with; the next one has the next number.
CLUSTER_WEIGHT, SET_WEIGHT, MACHINE_WEIGHT = 200, 400, 400
#: The strategies of a template → their numbers in Omni.
STRATEGIES = {StrategyType.UNSET: 0, StrategyType.ROLLING: 1}
#: The modes of manifests in a template → their numbers in Omni.
MODES = {None: 0, ManifestMode.FULL: 1, ManifestMode.ONE_TIME: 2}
_ALLOCATION_UNLIMITED = 1
_Extended: TypeAlias = Document | MachineSet


@dataclass(frozen=True, slots=True)
class Rendered:
    """An object, and the document and the field that it comes from."""

    document: int
    field: str
    resource: Resource


def render(template: Template) -> list[Resource]:
    """Return the objects of a valid template, in the order that omnictl prints them."""
    return [each.resource for each in rendered(list(enumerate(template.documents)))]


def rendered(documents: Sequence[tuple[int, Document]]) -> Iterator[Rendered]:
    """Yield the objects of documents, each given with its place."""
    renderer = _Renderer([document for _, document in documents])
    for number, document in documents:
        for field, resource in renderer.document(document):
            yield Rendered(number, field, resource)


class _Renderer:
    """Renders documents by what the others say: the cluster's name and arguments, the machines' locks and labels."""

    def __init__(self, documents: list[Document]) -> None:
        clusters = [each for each in documents if isinstance(each, Cluster)]
        self._cluster = clusters[-1].name if clusters else ""
        self._kernel_args = clusters[-1].kernel_args if clusters else None
        self._machines = {each.name: each for each in documents if isinstance(each, Machine)}
        self._locked = {each.name for each in documents if isinstance(each, Machine) and each.locked}
        self._sets = {machine: each for each in documents if isinstance(each, MachineSet) for machine in each.machines}

    def document(self, document: Document) -> Iterator[tuple[str, Resource]]:
        """Yield the objects of a document, each with its field."""
        if isinstance(document, Cluster):
            return self._of_cluster(document)
        if isinstance(document, Machine):
            return self._of_machine(document)
        return self._of_set(document)

    def _of_cluster(self, cluster: Cluster) -> Iterator[tuple[str, Resource]]:
        yield "", _cluster(cluster)
        labels = {label_names.LABEL_CLUSTER: cluster.name}
        prefix = f"cluster-{cluster.name}"
        yield from _patches(cluster.patches, prefix, CLUSTER_WEIGHT, labels)
        for number, manifest in enumerate(cluster.kubernetes.manifests):
            id = f"{CLUSTER_WEIGHT + number:03}-{prefix}-{manifest.name}"
            yield f"kubernetes.manifests.{number}", _manifest(manifest, id, labels)
        for number, check in enumerate(cluster.kubernetes.healthchecks):
            id = check.id_override or f"{prefix}-{check.name}"
            yield f"kubernetes.healthchecks.{number}", _health_check(check, id, labels)
        yield from self._extensions(cluster, cluster.name, {})

    def _of_set(self, machine_set: MachineSet) -> Iterator[tuple[str, Resource]]:
        role, id = self._role_and_id(machine_set)
        yield "", _machine_set(machine_set, id, self._cluster, role)
        if machine_set.machine_class is None:
            for number, machine in enumerate(machine_set.machines):
                yield from self._member(machine_set, number, machine, id, role)
        own = {label_names.LABEL_MACHINE_SET: id}
        labels = {label_names.LABEL_CLUSTER: self._cluster, **own}
        yield from _patches(machine_set.patches, id, SET_WEIGHT, labels)
        yield from self._extensions(machine_set, id, own)

    def _role_and_id(self, machine_set: MachineSet) -> tuple[str, str]:
        if isinstance(machine_set, ControlPlane):
            return label_names.LABEL_CONTROL_PLANE, label_names.control_planes(self._cluster)
        return label_names.LABEL_WORKER, f"{self._cluster}-{machine_set.name or 'workers'}"

    def _member(
        self, machine_set: MachineSet, number: int, machine: str, id: str, role: str
    ) -> Iterator[tuple[str, Resource]]:
        field = f"machines.{number}"
        labels = {
            label_names.LABEL_CLUSTER: self._cluster,
            role: "",
            **_own(machine_set.labels, (label_names.LABEL_CLUSTER, role)),
            label_names.LABEL_MACHINE_SET: id,
        }
        node = Resource(id=machine, type=types.MACHINE_SET_NODES, labels=labels)
        document = self._machines.get(machine)
        if document is not None:
            _describe(node, document)
        if machine in self._locked:
            node.annotations[label_names.ANNOTATION_LOCKED] = ""
        yield field, node
        if document is None:
            args = self._kernel_args if machine_set.kernel_args is None else machine_set.kernel_args
            if args is not None:
                yield field, _kernel_args(machine, args)

    def _of_machine(self, machine: Machine) -> Iterator[tuple[str, Resource]]:
        if machine.install.disk or machine.install.disk_selector:
            yield "install", _install(machine)
        own = {label_names.LABEL_CLUSTER_MACHINE: machine.name}
        labels = {label_names.LABEL_CLUSTER: self._cluster, **own}
        yield from _patches(machine.patches, f"cm-{machine.name}", MACHINE_WEIGHT, labels)
        for args in (
            machine.kernel_args,
            self._sets[machine.name].kernel_args if machine.name in self._sets else None,
            self._kernel_args,
        ):
            if args is not None:
                yield "kernelArgs", _kernel_args(machine.name, args)
                break
        yield from self._extensions(machine, machine.name, own)

    def _extensions(self, document: _Extended, name: str, labels: Mapping[str, str]) -> Iterator[tuple[str, Resource]]:
        if document.system_extensions is not None:
            spec = {"extensions": list(document.system_extensions)} if document.system_extensions else {}
            yield (
                "systemExtensions",
                Resource(
                    id=f"schematic-{name}",
                    type=types.EXTENSIONS_CONFIGURATIONS,
                    spec=spec,
                    labels={label_names.LABEL_CLUSTER: self._cluster, **labels},
                ),
            )


def _own(labels: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: labels[name] for name in names if name in labels}


def _describe(resource: Resource, document: _Extended | Patch | Manifest | HealthCheck) -> None:
    """Add a document's labels and annotations to an object."""
    resource.labels.update(document.labels)
    resource.annotations.update(document.annotations)


def _cluster(cluster: Cluster) -> Resource:
    features = {
        "enable_workload_proxy": cluster.features.enable_workload_proxy,
        "disk_encryption": cluster.features.disk_encryption,
        "use_embedded_discovery_service": cluster.features.use_embedded_discovery_service,
        "enable_node_audit_skip": cluster.features.enable_node_audit_skip,
        "disable_public_discovery_service": bool(cluster.features.disable_public_discovery_service),
    }
    spec: dict[str, Any] = {
        "kubernetes_version": cluster.kubernetes.version.lstrip("v"),
        "talos_version": cluster.talos.version.lstrip("v"),
        "features": {name: value for name, value in features.items() if value},
    }
    interval = cluster.features.backup_configuration.interval
    if interval > 0:
        spec["backup_configuration"] = {"interval": interval.to_wire(), "enabled": True}
    result = Resource(id=cluster.name, type=types.CLUSTERS, spec=spec, annotations={ANNOTATION_MANAGED: ""})
    _describe(result, cluster)
    if cluster.locked:
        result.annotations[label_names.ANNOTATION_CLUSTER_LOCKED] = ""
    return result


def _machine_set(machine_set: MachineSet, id: str, cluster: str, role: str) -> Resource:
    spec: dict[str, Any] = {"update_strategy": STRATEGIES[StrategyType.ROLLING]}
    strategies = {
        "update_strategy": machine_set.update_strategy,
        "delete_strategy": machine_set.delete_strategy,
        "upgrade_strategy": machine_set.upgrade_strategy,
    }
    for name, strategy in strategies.items():
        spec |= _strategy(name, strategy)
    if machine_set.bootstrap_spec is not None:
        spec["bootstrap_spec"] = _given(
            {"cluster_uuid": machine_set.bootstrap_spec.cluster_uuid, "snapshot": machine_set.bootstrap_spec.snapshot}
        )
    if machine_set.machine_class is not None:
        size = machine_set.machine_class.size
        spec["machine_allocation"] = _given(
            {
                "name": machine_set.machine_class.name,
                "machine_count": 0 if size == UNLIMITED else size,
                "allocation_type": _ALLOCATION_UNLIMITED if size == UNLIMITED else 0,
            }
        )
    labels = {label_names.LABEL_CLUSTER: cluster, role: ""}
    result = Resource(id=id, type=types.MACHINE_SETS, spec=_given(spec), labels=labels)
    _describe(result, machine_set)
    return result


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without zeros, which Omni leaves out of its JSON; a message stays though it be empty."""
    return {name: value for name, value in values.items() if value or isinstance(value, dict)}


def _strategy(name: str, strategy: Strategy | None) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if strategy is not None and strategy.type is not None:
        result[name] = STRATEGIES[strategy.type]
    if strategy is not None and strategy.rolling is not None:
        result[f"{name}_config"] = {"rolling": _given({"max_parallelism": strategy.rolling.max_parallelism})}
    return result


def _patches(
    patches: list[Patch], prefix: str, weight: int, labels: Mapping[str, str]
) -> Iterator[tuple[str, Resource]]:
    for number, patch in enumerate(patches):
        result = Resource(
            id=patch.id_override or f"{weight + number:03}-{prefix}-{patch.name}",
            type=types.CONFIG_PATCHES,
            spec=_data("data", patch.inline),
            labels=dict(labels),
            annotations={label_names.ANNOTATION_NAME: patch.name},
        )
        _describe(result, patch)
        yield f"patches.{number}", result


def _data(name: str, inline: Inline | None) -> dict[str, Any]:
    return _given({name: content_text(inline)})


def _manifest(manifest: Manifest, id: str, labels: Mapping[str, str]) -> Resource:
    result = Resource(
        id=id,
        type=types.KUBERNETES_MANIFEST_GROUPS,
        spec=_given({**_data("data", manifest.inline), "mode": MODES[manifest.mode]}),
        labels=dict(labels),
        annotations={label_names.ANNOTATION_NAME: manifest.name},
    )
    _describe(result, manifest)
    return result


def _health_check(check: HealthCheck, id: str, labels: Mapping[str, str]) -> Resource:
    spec = _data("job", check.job)
    if check.interval > 0:
        spec["interval"] = check.interval.to_wire()
    result = Resource(id=id, type=types.KUBERNETES_HEALTH_CHECKS, spec=spec, labels=dict(labels))
    _describe(result, check)
    return result


def _install(machine: Machine) -> Resource:
    return Resource(
        id=machine.name,
        type=types.MACHINE_INSTALL_DISK_CONFIGS,
        spec=_given({"disk": machine.install.disk, "disk_selector": machine.install.disk_selector}),
        annotations={ANNOTATION_MANAGED: ""},
    )


def _kernel_args(machine: str, args: list[str]) -> Resource:
    return Resource(
        id=machine,
        type=types.KERNEL_ARGS,
        spec=_given({"args": list(args)}),
        annotations={ANNOTATION_MANAGED: ""},
    )
