"""The series of each Omni type's objects, by the names and labels of Omni's exporter (siderolabs/omni_exporter).

``facts`` of an object are the properties that the totals count; they are cheap, for the lines of machines can be left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from omni_gateway.api.fleet.exposition import Family, state_names
from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.model.label_names import LABEL_CLUSTER, LABEL_MACHINE_SET
from omni_gateway.omni import types

PREFIX = "omni_exporter_"
Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Collector:
    """The series of one type's objects.

    :param name: the value of the label ``collector``, as the exporter has it.
    :param lines: called with an object and its spec; returns the lines of each family.
    :param facts: called with the spec; returns the properties that the totals count.
    :param of_machines: whether there is an object for each machine.
    """

    name: str
    type: types.OmniType
    families: Sequence[Family]
    lines: Callable[[CachedObject, Spec], Sequence[str]]
    facts: Callable[[Spec], tuple[str, ...]] = lambda spec: ()
    of_machines: bool = False


def _family(name: str, text: str, *labels: str) -> Family:
    return Family(PREFIX + name, "gauge", text, labels)


def _numbers(families: Sequence[Family], values: Sequence[Any], *labels: str) -> list[str]:
    return [family.line(float(value or 0), *labels) for family, value in zip(families, values, strict=True)]


def _timestamp(family: Family, text: str | None, *labels: str) -> str:
    return family.line(int(datetime.fromisoformat(text).timestamp()), *labels) if text else ""


_CLUSTER_PHASES = state_names("specs.ClusterStatusSpec.Phase")
_MACHINE_SET_PHASES = state_names("specs.MachineSetPhase")
_STAGES = state_names("specs.ClusterMachineStatusSpec.Stage")
_POWER_STATES = state_names("specs.MachineStatusSpec.PowerState", "POWER_STATE_")
_ROLES = state_names("specs.MachineStatusSpec.Role")
_TALOS_PHASES = state_names("specs.TalosUpgradeStatusSpec.Phase")
_KUBERNETES_PHASES = state_names("specs.KubernetesUpgradeStatusSpec.Phase")
_BACKUP_STATES = state_names("specs.EtcdBackupStatusSpec.Status")

_CLUSTERS = (
    _family("cluster_phase", "1 for the phase that the cluster is in", "cluster_id", "phase"),
    _family("cluster_info", "1, with the versions of the cluster", "cluster_id", "talos_version", "kubernetes_version"),
    _family("cluster_ready", "1 if the cluster is ready", "cluster_id"),
    _family("cluster_available", "1 if the cluster is available", "cluster_id"),
    _family("cluster_kubernetes_api_ready", "1 if the cluster's Kubernetes API is ready", "cluster_id"),
    _family("cluster_control_plane_ready", "1 if the cluster's control plane is ready", "cluster_id"),
    _family("cluster_machines", "Machines of the cluster", "cluster_id"),
    _family("cluster_machines_healthy", "Healthy machines of the cluster", "cluster_id"),
    _family("cluster_machines_connected", "Machines of the cluster that are connected to Omni", "cluster_id"),
    _family("cluster_machines_requested", "Machines that the cluster is to have", "cluster_id"),
)


def _cluster_lines(item: CachedObject, spec: Spec) -> Sequence[str]:
    machines = spec.get("machines") or {}
    versions = (spec.get("talos_version", ""), spec.get("kubernetes_version", ""))
    values = (
        *(spec.get(name) for name in ("ready", "available", "kubernetesAPIReady", "controlplaneReady")),
        *(machines.get(name) for name in ("total", "healthy", "connected", "requested")),
    )
    return (
        _CLUSTERS[0].states(_CLUSTER_PHASES, spec.get("phase", 0), item.id),
        _CLUSTERS[1].line(1, item.id, *versions),
        *_numbers(_CLUSTERS[2:], values, item.id),
    )


_MACHINE_SETS = (
    _family("machine_set_phase", "1 for the phase that the machine set is in", "cluster_id", "machine_set_id", "phase"),
    _family("machine_set_ready", "1 if the machine set is ready", "cluster_id", "machine_set_id"),
    _family("machine_set_machines", "Machines of the machine set", "cluster_id", "machine_set_id"),
    _family("machine_set_machines_healthy", "Healthy machines of the machine set", "cluster_id", "machine_set_id"),
    _family(
        "machine_set_machines_connected",
        "Machines of the machine set that are connected to Omni",
        "cluster_id",
        "machine_set_id",
    ),
    _family(
        "machine_set_machines_requested", "Machines that the machine set is to have", "cluster_id", "machine_set_id"
    ),
)


def _machine_set_lines(item: CachedObject, spec: Spec) -> Sequence[str]:
    labels = (item.labels.get(LABEL_CLUSTER, ""), item.id)
    machines = spec.get("machines") or {}
    values = (spec.get("ready"), *(machines.get(name) for name in ("total", "healthy", "connected", "requested")))
    phases = _MACHINE_SETS[0].states(_MACHINE_SET_PHASES, spec.get("phase", 0), *labels)
    return (phases, *_numbers(_MACHINE_SETS[1:], values, *labels))


_MACHINES = (
    _family("machine_connected", "1 if the machine is connected to Omni", "machine_id"),
    _family("machine_power_state", "1 for the power state that the machine is in", "machine_id", "state"),
    _family(
        "machine_info",
        "1, with what the machine is; cluster_id is empty for a machine of no cluster",
        "machine_id",
        "cluster_id",
        "role",
        "hostname",
        "management_address",
        "talos_version",
        "platform",
        "arch",
    ),
)


def _machine_lines(item: CachedObject, spec: Spec) -> Sequence[str]:
    platform = spec.get("platform_metadata") or {}
    role = spec.get("role", 0)
    return (
        _MACHINES[0].line(bool(spec.get("connected")), item.id),
        _MACHINES[1].states(_POWER_STATES, spec.get("power_state", 0), item.id),
        _MACHINES[2].line(
            1,
            item.id,
            spec.get("cluster", ""),
            _ROLES.get(role, str(role)),
            (spec.get("network") or {}).get("hostname") or platform.get("hostname", ""),
            spec.get("management_address", ""),
            spec.get("talos_version", ""),
            platform.get("platform", ""),
            (spec.get("hardware") or {}).get("arch", ""),
        ),
    )


def _machine_facts(spec: Spec) -> tuple[str, ...]:
    connected = "true" if spec.get("connected") else "false"
    platform = (spec.get("platform_metadata") or {}).get("platform", "")
    return (spec.get("talos_version", ""), spec.get("cluster", ""), connected, platform)


_CLUSTER_MACHINES = (
    _family(
        "cluster_machine_stage",
        "1 for the stage that the cluster's machine is in",
        "cluster_id",
        "machine_set_id",
        "machine_id",
        "stage",
    ),
    _family(
        "cluster_machine_ready", "1 if the cluster's machine is ready", "cluster_id", "machine_set_id", "machine_id"
    ),
)


def _cluster_machine_lines(item: CachedObject, spec: Spec) -> Sequence[str]:
    labels = (item.labels.get(LABEL_CLUSTER, ""), item.labels.get(LABEL_MACHINE_SET, ""), item.id)
    return (
        _CLUSTER_MACHINES[0].states(_STAGES, spec.get("stage", 0), *labels),
        _CLUSTER_MACHINES[1].line(bool(spec.get("ready")), *labels),
    )


_TALOS_UPGRADES = _family(
    "cluster_talos_upgrade_phase", "1 for the phase that the cluster's Talos upgrade is in", "cluster_id", "phase"
)
_KUBERNETES_UPGRADES = _family(
    "cluster_kubernetes_upgrade_phase",
    "1 for the phase that the cluster's Kubernetes upgrade is in",
    "cluster_id",
    "phase",
)
_BACKUP_ENABLED = _family("cluster_etcd_backup_enabled", "1 if etcd of the cluster is backed up", "cluster_id")
_BACKUPS = (
    _family("cluster_etcd_backup_status", "1 for the state of the last backup", "cluster_id", "status"),
    _family("cluster_etcd_backup_last_success_timestamp_seconds", "Time of the last successful backup", "cluster_id"),
    _family("cluster_etcd_backup_last_attempt_timestamp_seconds", "Time of the last attempt of one", "cluster_id"),
)
_BACKUP_STORE = (
    _family("etcd_backup_store_info", "1, with the kind of the store for backups", "configuration_name"),
    _family("etcd_backup_store_ready", "1 if the configuration of the store for backups has no error"),
)


def _backup_lines(item: CachedObject, spec: Spec) -> Sequence[str]:
    return (
        _BACKUPS[0].states(_BACKUP_STATES, spec.get("status", 0), item.id),
        _timestamp(_BACKUPS[1], spec.get("last_backup_time"), item.id),
        _timestamp(_BACKUPS[2], spec.get("last_backup_attempt"), item.id),
    )


COLLECTORS: Sequence[Collector] = (
    Collector(
        "clusters",
        types.CLUSTER_STATUSES,
        _CLUSTERS,
        _cluster_lines,
        lambda spec: (_CLUSTER_PHASES.get(spec.get("phase", 0), "").upper(),),
    ),
    Collector("machine_sets", types.MACHINE_SET_STATUSES, _MACHINE_SETS, _machine_set_lines),
    Collector("machines", types.MACHINE_STATUSES, _MACHINES, _machine_lines, _machine_facts, of_machines=True),
    Collector(
        "cluster_machines",
        types.CLUSTER_MACHINE_STATUSES,
        _CLUSTER_MACHINES,
        _cluster_machine_lines,
        lambda spec: (_STAGES.get(spec.get("stage", 0), "").upper(),),
        of_machines=True,
    ),
    Collector(
        "talos_upgrades",
        types.TALOS_UPGRADE_STATUSES,
        [_TALOS_UPGRADES],
        lambda item, spec: (_TALOS_UPGRADES.states(_TALOS_PHASES, spec.get("phase", 0), item.id),),
    ),
    Collector(
        "kubernetes_upgrades",
        types.KUBERNETES_UPGRADE_STATUSES,
        [_KUBERNETES_UPGRADES],
        lambda item, spec: (_KUBERNETES_UPGRADES.states(_KUBERNETES_PHASES, spec.get("phase", 0), item.id),),
    ),
    Collector(
        "etcd_backup_configs",
        types.CLUSTERS,
        [_BACKUP_ENABLED],
        lambda item, spec: (
            _BACKUP_ENABLED.line(bool((spec.get("backup_configuration") or {}).get("enabled")), item.id),
        ),
    ),
    Collector("etcd_backups", types.ETCD_BACKUP_STATUSES, _BACKUPS, _backup_lines),
    Collector(
        "etcd_backup_store",
        types.ETCD_BACKUP_OVERALL_STATUSES,
        _BACKUP_STORE,
        lambda item, spec: (
            _BACKUP_STORE[0].line(1, spec.get("configuration_name", "")),
            _BACKUP_STORE[1].line(not spec.get("configuration_error")),
        ),
    ),
)
