"""The documents of a cluster template.

Each class is one kind of mapping; each of its fields is a key of it, in camelCase (:func:`key_of`). A field that has
the value of its default is left out by :func:`to_mapping`. ``file:`` has no field: files are read into ``inline``,
under the name that they would have had.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeAlias

from omni_gateway.templates.durations import NONE, Duration

#: What ``inline`` takes: one mapping, a list of mappings, or the text of a YAML file.
Inline: TypeAlias = str | dict[str, Any] | list[dict[str, Any]]
#: The size of a machine class's share.
Size: TypeAlias = int | Literal["unlimited"]

UNLIMITED: Literal["unlimited"] = "unlimited"


class StrategyType(StrEnum):
    """How many machines of a set may change at a time."""

    UNSET = "Unset"
    ROLLING = "Rolling"


class ManifestMode(StrEnum):
    """How long Omni cares for a manifest."""

    FULL = "full"
    ONE_TIME = "one-time"


@dataclass(slots=True, kw_only=True)
class Patch:
    """A patch of the machine configuration; ``inline`` has the content."""

    name: str = ""
    id_override: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    inline: Inline | None = None


@dataclass(slots=True, kw_only=True)
class Manifest:
    """Kubernetes manifests that Omni applies to the cluster."""

    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    mode: ManifestMode | None = None
    inline: Inline | None = None


@dataclass(slots=True, kw_only=True)
class HealthCheck:
    """A Kubernetes Job that Omni runs before it goes on with an upgrade; ``job`` has its manifest."""

    name: str = ""
    id_override: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    interval: Duration = NONE
    job: Inline | None = None


@dataclass(slots=True, kw_only=True)
class Kubernetes:
    """The cluster's Kubernetes."""

    version: str = ""
    manifests: list[Manifest] = field(default_factory=list)
    healthchecks: list[HealthCheck] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Talos:
    """The cluster's Talos."""

    version: str = ""


@dataclass(slots=True, kw_only=True)
class BackupConfiguration:
    """When etcd is backed up; no interval, no backups."""

    interval: Duration = NONE


@dataclass(slots=True, kw_only=True)
class Features:
    """Features of the cluster."""

    disk_encryption: bool = False
    enable_workload_proxy: bool = False
    use_embedded_discovery_service: bool = False
    disable_public_discovery_service: bool | None = None
    enable_node_audit_skip: bool = False
    backup_configuration: BackupConfiguration = field(default_factory=BackupConfiguration)


@dataclass(slots=True, kw_only=True)
class BootstrapSpec:
    """The backup that the control plane's etcd starts from."""

    cluster_uuid: str = field(default="", metadata={"key": "clusterUUID"})
    snapshot: str = ""


@dataclass(slots=True, kw_only=True)
class MachineClass:
    """The machine class that a set takes its machines from."""

    name: str = ""
    size: Size = 0


@dataclass(slots=True, kw_only=True)
class Rolling:
    """The parameter of the strategy ``Rolling``."""

    max_parallelism: int = 0


@dataclass(slots=True, kw_only=True)
class Strategy:
    """How a set's machines are changed."""

    type: StrategyType | None = None
    rolling: Rolling | None = None


@dataclass(slots=True, kw_only=True)
class Install:
    """Where Talos is installed."""

    disk: str = ""
    disk_selector: str = ""


@dataclass(slots=True, kw_only=True)
class Cluster:
    """The document of the kind ``Cluster``.

    ``locked`` is an addition of the gateway's: None leaves the cluster's lock as it is.
    """

    kind: ClassVar[str] = "Cluster"

    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    locked: bool | None = None
    kubernetes: Kubernetes = field(default_factory=Kubernetes)
    talos: Talos = field(default_factory=Talos)
    features: Features = field(default_factory=Features)
    patches: list[Patch] = field(default_factory=list)
    system_extensions: list[str] | None = None
    kernel_args: list[str] | None = None


@dataclass(slots=True, kw_only=True)
class MachineSet:
    """The fields that both kinds of machine sets have; some are refused in one of them."""

    kind: ClassVar[str] = ""

    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    bootstrap_spec: BootstrapSpec | None = None
    machines: list[str] = field(default_factory=list)
    machine_class: MachineClass | None = None
    update_strategy: Strategy | None = None
    delete_strategy: Strategy | None = None
    upgrade_strategy: Strategy | None = None
    patches: list[Patch] = field(default_factory=list)
    system_extensions: list[str] | None = None
    kernel_args: list[str] | None = None


@dataclass(slots=True, kw_only=True)
class ControlPlane(MachineSet):
    """The document of the kind ``ControlPlane``."""

    kind: ClassVar[str] = "ControlPlane"


@dataclass(slots=True, kw_only=True)
class Workers(MachineSet):
    """A document of the kind ``Workers``."""

    kind: ClassVar[str] = "Workers"


@dataclass(slots=True, kw_only=True)
class Machine:
    """A document of the kind ``Machine``; ``name`` is the machine's id."""

    kind: ClassVar[str] = "Machine"

    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    locked: bool = False
    install: Install = field(default_factory=Install)
    patches: list[Patch] = field(default_factory=list)
    system_extensions: list[str] | None = None
    kernel_args: list[str] | None = None


#: One document of a template.
Document: TypeAlias = Cluster | ControlPlane | Workers | Machine

KINDS: dict[str, type[Document]] = {each.kind: each for each in (Cluster, ControlPlane, Workers, Machine)}


@dataclass(slots=True)
class Template:
    """A cluster template: its documents in their order, which is the order of the rendered resources."""

    documents: list[Document]

    @property
    def name(self) -> str:
        """Return the cluster's name."""
        return self.cluster.name

    @property
    def cluster(self) -> Cluster:
        """Return the document of the cluster."""
        return next(each for each in self.documents if isinstance(each, Cluster))

    @property
    def control_plane(self) -> ControlPlane:
        """Return the document of the control plane."""
        return next(each for each in self.documents if isinstance(each, ControlPlane))

    @property
    def workers(self) -> list[Workers]:
        """Return the documents of the workers."""
        return [each for each in self.documents if isinstance(each, Workers)]

    @property
    def machines(self) -> list[Machine]:
        """Return the documents of single machines."""
        return [each for each in self.documents if isinstance(each, Machine)]

    def to_documents(self) -> list[dict[str, Any]]:
        """Return the documents as mappings of JSON's values, without fields that have their default."""
        return [{"kind": each.kind, **to_mapping(each)} for each in self.documents]


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return the key that a field has in YAML."""
    key: str = field.metadata.get("key") or re.sub(r"_(.)", lambda match: match[1].upper(), field.name)
    return key


def to_mapping(value: Any) -> dict[str, Any]:
    """Return a document, or a part of one, as a mapping without fields that have their default."""
    result = {}
    for each in dataclasses.fields(value):
        item = getattr(value, each.name)
        if item != _default(each):
            result[key_of(each)] = _plain(item)
    return result


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_mapping(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, (StrEnum, Duration)) else value
