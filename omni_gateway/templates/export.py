"""From a living cluster's objects to the template that renders them, whoever made the cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from omni_gateway.model import label_names
from omni_gateway.model.resource import Resource
from omni_gateway.omni import types
from omni_gateway.rest.install_disks import from_patches
from omni_gateway.templates.config_patches import documents_of
from omni_gateway.templates.content import content_text
from omni_gateway.templates.durations import NONE, Duration
from omni_gateway.templates.model import (
    UNLIMITED,
    BackupConfiguration,
    BootstrapSpec,
    Cluster,
    ControlPlane,
    Features,
    HealthCheck,
    Inline,
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
    Talos,
    Template,
    Workers,
)
from omni_gateway.templates.nodes import BadValue
from omni_gateway.templates.render import (
    ANNOTATION_MANAGED,
    CLUSTER_WEIGHT,
    MACHINE_WEIGHT,
    MODES,
    SET_WEIGHT,
    STRATEGIES,
    render,
)

#: What is exported of a cluster: objects with its label.
TYPES_BY_LABEL: Final = (
    types.MACHINE_SETS,
    types.MACHINE_SET_NODES,
    types.CONFIG_PATCHES,
    types.EXTENSIONS_CONFIGURATIONS,
    types.KUBERNETES_MANIFEST_GROUPS,
    types.KUBERNETES_HEALTH_CHECKS,
)
#: What is exported of each of its machines: objects with the machine's id.
TYPES_BY_MACHINE: Final = (types.KERNEL_ARGS, types.MACHINE_INSTALL_DISK_CONFIGS)

_MODES = {number: mode for mode, number in MODES.items() if mode is not None}
_STRATEGIES = {number: strategy for strategy, number in STRATEGIES.items()}


@dataclass(frozen=True, slots=True)
class Export:
    """A template, and those objects of the cluster that it does not render as they are: a sync would change them."""

    template: Template
    inexact: list[Resource] = field(default_factory=list)


def is_exported(resource: Resource) -> bool:
    """Return False for what Omni's controllers made: it has an owner, or is a machine class's share."""
    return not resource.owner and label_names.LABEL_ALLOCATED not in resource.labels


def is_same(one: Resource, other: Resource | None) -> bool:
    """Return True if two objects are the same to Omni.

    Neither the annotation that says who manages the object counts, nor a name that is empty, nor how YAML is written:
    that differs from release to release of omnictl.
    """
    if other is None:
        return False
    content, others = _content(one), _content(other)
    return content == others or _read(content) == _read(others)


def export(objects: Iterable[Resource]) -> Export:
    """Return the template of a cluster: of its Clusters object and the objects of its label and of its machines' ids.

    Patches by which an older Omni has install disks are in it as these.

    Raises ``LookupError`` if the Clusters object is not among them.
    """
    exporter = _Exporter([each for each in from_patches(objects) if is_exported(each)])
    template = exporter.template()
    rendered = {(each.type, each.id): each for each in render(template)}
    return Export(
        template, [each for each in exporter.objects if not is_same(each, rendered.get((each.type, each.id)))]
    )


class _Exporter:
    """Sorts the objects of a cluster by the document that they belong to."""

    def __init__(self, objects: list[Resource]) -> None:
        self.objects = sorted(objects, key=lambda each: each.id)
        self._by_type: dict[str, dict[str, Resource]] = defaultdict(dict)
        for each in self.objects:
            self._by_type[each.type][each.id] = each
        self._cluster = next(iter(self._of(types.CLUSTERS)), None)
        self._nodes = self._of(types.MACHINE_SET_NODES)
        self._sets = self._of(types.MACHINE_SETS)

    def template(self) -> Template:
        """Return the template: the cluster, its control plane, its workers, and the machines that differ."""
        if self._cluster is None:
            raise LookupError("There is no Clusters object.")
        sets = [self._set(each) for each in self._sets]
        workers = [each for each in sets if isinstance(each, Workers)]
        planes = [each for each in sets if isinstance(each, ControlPlane)]
        machines = [self._machine(each) for each in self._nodes]
        different = [each for each in machines if each != Machine(name=each.name)]
        return Template([self._of_cluster(self._cluster), *(planes or [ControlPlane()]), *workers, *different])

    def _of(self, type: str) -> Collection[Resource]:
        return self._by_type[type].values()

    def _spec(self, type: str, id: str) -> dict[str, Any] | None:
        found = self._by_type[type].get(id)
        return None if found is None else found.spec

    def _of_cluster(self, cluster: Resource) -> Cluster:
        spec = cluster.spec
        features = spec.get("features") or {}
        backup = spec.get("backup_configuration") or {}
        prefix = f"cluster-{cluster.id}"
        return Cluster(
            name=cluster.id,
            labels=_users(cluster.labels),
            annotations=_users(cluster.annotations),
            locked=True if label_names.ANNOTATION_CLUSTER_LOCKED in cluster.annotations else None,
            kubernetes=Kubernetes(
                version=_version(spec.get("kubernetes_version")),
                manifests=self._manifests(prefix),
                healthchecks=self._health_checks(prefix),
            ),
            talos=Talos(version=_version(spec.get("talos_version"))),
            features=Features(
                disk_encryption=bool(features.get("disk_encryption")),
                enable_workload_proxy=bool(features.get("enable_workload_proxy")),
                use_embedded_discovery_service=bool(features.get("use_embedded_discovery_service")),
                disable_public_discovery_service=True if features.get("disable_public_discovery_service") else None,
                enable_node_audit_skip=bool(features.get("enable_node_audit_skip")),
                backup_configuration=BackupConfiguration(
                    interval=_duration(backup.get("interval")) if backup.get("enabled") else NONE
                ),
            ),
            patches=self._patches(_is_of_cluster, prefix, CLUSTER_WEIGHT),
            system_extensions=self._extensions(_is_of_cluster, cluster.id),
        )

    def _set(self, resource: Resource) -> ControlPlane | Workers:
        assert self._cluster is not None
        plane = label_names.LABEL_CONTROL_PLANE in resource.labels
        name = resource.id.removeprefix(f"{self._cluster.id}-")
        spec = resource.spec
        allocation = spec.get("machine_allocation") or spec.get("machine_class")
        belongs = _has(label_names.LABEL_MACHINE_SET, resource.id)
        bootstrap = spec.get("bootstrap_spec")
        return (ControlPlane if plane else Workers)(
            name="" if plane or name == "workers" else name,
            labels=_users(resource.labels),
            annotations=_users(resource.annotations),
            bootstrap_spec=None
            if bootstrap is None
            else BootstrapSpec(cluster_uuid=bootstrap.get("cluster_uuid", ""), snapshot=bootstrap.get("snapshot", "")),
            machines=[] if allocation else [each.id for each in self._nodes if belongs(each)],
            machine_class=_machine_class(allocation) if allocation else None,
            update_strategy=None if plane else _strategy(spec, "update_strategy", StrategyType.ROLLING),
            delete_strategy=None if plane else _strategy(spec, "delete_strategy", StrategyType.UNSET),
            upgrade_strategy=_strategy(spec, "upgrade_strategy", StrategyType.UNSET),
            patches=self._patches(belongs, resource.id, SET_WEIGHT),
            system_extensions=self._extensions(belongs, resource.id),
        )

    def _machine(self, node: Resource) -> Machine:
        belongs = _has(label_names.LABEL_CLUSTER_MACHINE, node.id)
        disk = self._spec(types.MACHINE_INSTALL_DISK_CONFIGS, node.id) or {}
        args = self._spec(types.KERNEL_ARGS, node.id)
        return Machine(
            name=node.id,
            labels=_users(node.labels),
            annotations=_users(node.annotations),
            locked=label_names.ANNOTATION_LOCKED in node.annotations,
            install=Install(disk=disk.get("disk", ""), disk_selector=disk.get("disk_selector", "")),
            patches=self._patches(belongs, f"cm-{node.id}", MACHINE_WEIGHT),
            system_extensions=self._extensions(belongs, node.id),
            kernel_args=None if args is None else list(args.get("args") or ()),
        )

    def _patches(self, belongs: Callable[[Resource], bool], prefix: str, weight: int) -> list[Patch]:
        found: list[Patch] = []
        for resource in filter(belongs, self._of(types.CONFIG_PATCHES)):
            name = resource.annotations.get(label_names.ANNOTATION_NAME, "")
            usual = f"{weight + len(found):03}-{prefix}-{name}"
            found.append(
                Patch(
                    name=name,
                    id_override="" if name and resource.id == usual else resource.id,
                    labels=_users(resource.labels),
                    annotations=_users(resource.annotations, besides=label_names.ANNOTATION_NAME),
                    inline=_structured(resource.spec.get("data", "")),
                )
            )
        return found

    def _manifests(self, prefix: str) -> list[Manifest]:
        found: list[Manifest] = []
        for resource in self._of(types.KUBERNETES_MANIFEST_GROUPS):
            found.append(
                Manifest(
                    name=resource.id.removeprefix(f"{CLUSTER_WEIGHT + len(found):03}-{prefix}-"),
                    labels=_users(resource.labels),
                    annotations=_users(resource.annotations, besides=label_names.ANNOTATION_NAME),
                    mode=_MODES.get(resource.spec.get("mode", 0), ManifestMode.FULL),
                    inline=_structured(resource.spec.get("data", "")),
                )
            )
        return found

    def _health_checks(self, prefix: str) -> list[HealthCheck]:
        return [
            HealthCheck(
                name=each.id.removeprefix(f"{prefix}-"),
                id_override="" if each.id.startswith(f"{prefix}-") else each.id,
                labels=_users(each.labels),
                annotations=_users(each.annotations),
                interval=_duration(each.spec.get("interval")),
                job=_structured(each.spec.get("job", "")),
            )
            for each in self._of(types.KUBERNETES_HEALTH_CHECKS)
        ]

    def _extensions(self, belongs: Callable[[Resource], bool], name: str) -> list[str] | None:
        usual = self._by_type[types.EXTENSIONS_CONFIGURATIONS].get(f"schematic-{name}")
        return None if usual is None or not belongs(usual) else list(usual.spec.get("extensions") or ())


def _is_of_cluster(resource: Resource) -> bool:
    return not {label_names.LABEL_MACHINE_SET, label_names.LABEL_CLUSTER_MACHINE} & resource.labels.keys()


def _structured(text: str) -> Inline:
    """Return the content of a patch or a manifest as mappings, where these have just this text, else the text."""
    values = _values(text)
    if values is None:
        return text
    inline: Inline = values[0] if len(values) == 1 else values
    return inline if content_text(inline) == text else text


def _values(text: str) -> list[dict[str, Any]] | None:
    """Return the documents of a YAML text; None if it cannot be read, or has other documents than mappings."""
    try:
        return documents_of(text) or None
    except BadValue:
        return None


def _has(label: str, value: str) -> Callable[[Resource], bool]:
    return lambda resource: resource.labels.get(label) == value


def _users(values: Mapping[str, str], besides: str = "") -> dict[str, str]:
    """Return the labels or annotations that a template takes: those that are not Omni's own."""
    return {
        name: value for name, value in values.items() if not name.startswith(label_names.OWN_PREFIX) and name != besides
    }


def _version(version: str | None) -> str:
    return f"v{version}" if version else ""


def _duration(wire: str | None) -> Duration:
    return Duration.read(wire) if wire else NONE


def _machine_class(allocation: Mapping[str, Any]) -> MachineClass:
    size = UNLIMITED if allocation.get("allocation_type") else allocation.get("machine_count", 0)
    return MachineClass(name=allocation.get("name", ""), size=size)


def _strategy(spec: Mapping[str, Any], name: str, usual: StrategyType) -> Strategy | None:
    """Return a set's strategy; None for the one that a template has if it names none."""
    type = _STRATEGIES.get(spec.get(name, 0))
    config = spec.get(f"{name}_config")
    rolling = (
        None if config is None else Rolling(max_parallelism=(config.get("rolling") or {}).get("max_parallelism", 0))
    )
    if type == usual and rolling is None:
        return None
    return Strategy(type=None if type == usual else type, rolling=rolling)


def _content(resource: Resource) -> tuple[Any, ...]:
    annotations = {
        name: value
        for name, value in resource.annotations.items()
        if name != ANNOTATION_MANAGED and (name, value) != (label_names.ANNOTATION_NAME, "")
    }
    return resource.labels, annotations, _given(resource.spec)


def _read(content: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return content with the YAML texts of its spec read."""
    labels, annotations, spec = content
    texts = {name: _values(spec[name]) or spec[name] for name in ("data", "job") if isinstance(spec.get(name), str)}
    return labels, annotations, {**spec, **texts}


def _given(value: Any) -> Any:
    """Return a value without members that have their zero value; an empty message counts as one that is missing."""
    if not isinstance(value, Mapping):
        return value
    members = {key: _given(item) for key, item in value.items()}
    return {key: item for key, item in members.items() if item not in (0, "", False, None, [], {})}
