"""Omni's names for what belongs to a machine: resource types, labels, annotations, ids."""

from __future__ import annotations

from typing import Final

_SUFFIX: Final = ".omni.sidero.dev"

CLUSTERS: Final = f"Clusters{_SUFFIX}"
CLUSTER_MACHINE_STATUSES: Final = f"ClusterMachineStatuses{_SUFFIX}"
CLUSTER_MACHINE_TALOS_VERSIONS: Final = f"ClusterMachineTalosVersions{_SUFFIX}"
CLUSTER_MACHINES: Final = f"ClusterMachines{_SUFFIX}"
EXTENSIONS_CONFIGURATIONS: Final = f"ExtensionsConfigurations{_SUFFIX}"
KERNEL_ARGS_STATUSES: Final = f"KernelArgsStatuses{_SUFFIX}"
LINKS: Final = f"Links{_SUFFIX}"
MACHINES: Final = f"Machines{_SUFFIX}"
MACHINE_CONFIG_DIFFS: Final = f"MachineConfigDiffs{_SUFFIX}"
MACHINE_EXTENSIONS_STATUSES: Final = f"MachineExtensionsStatuses{_SUFFIX}"
MACHINE_LABELS: Final = f"MachineLabels{_SUFFIX}"
MACHINE_PENDING_UPDATES: Final = f"MachinePendingUpdates{_SUFFIX}"
MACHINE_SET_NODES: Final = f"MachineSetNodes{_SUFFIX}"
MACHINE_STATUSES: Final = f"MachineStatuses{_SUFFIX}"
MACHINE_STATUS_LINKS: Final = f"MachineStatusLinks{_SUFFIX}"
MACHINE_STATUS_SNAPSHOTS: Final = f"MachineStatusSnapshots{_SUFFIX}"
MACHINE_UPGRADE_STATUSES: Final = f"MachineUpgradeStatuses{_SUFFIX}"
ONGOING_TASKS: Final = f"OngoingTasks{_SUFFIX}"
TALOS_EXTENSIONS: Final = f"TalosExtensions{_SUFFIX}"
TALOS_VERSIONS: Final = f"TalosVersions{_SUFFIX}"

EPHEMERAL_NAMESPACE: Final = "ephemeral"
METRICS_NAMESPACE: Final = "metrics"

#: Labels and annotations under it are Omni's own.
OWN_PREFIX: Final = "omni.sidero.dev/"

LABEL_AVAILABLE: Final = f"{OWN_PREFIX}available"
LABEL_CLUSTER: Final = f"{OWN_PREFIX}cluster"
LABEL_CLUSTER_MACHINE: Final = f"{OWN_PREFIX}cluster-machine"
LABEL_INSTALLED: Final = f"{OWN_PREFIX}installed"
LABEL_MACHINE_SET: Final = f"{OWN_PREFIX}machine-set"

ANNOTATION_CLUSTER_LOCKED: Final = f"{OWN_PREFIX}cluster-locked"
ANNOTATION_LOCKED: Final = f"{OWN_PREFIX}locked"

EXTENSIONS_PREFIX: Final = "siderolabs/"


def control_planes(cluster: str) -> str:
    """Return the one id that Omni takes for a cluster's control plane set."""
    return f"{cluster}-control-planes"


def own_extensions(machine: str) -> str:
    """Return the id that we give to the list of extensions of a single machine."""
    return f"{machine}-extensions"


def maintenance_task(machine: str) -> str:
    """Return the id of Omni's task while it works on a machine in maintenance mode."""
    return f"machine-{machine}-maintenance-upgrade"
