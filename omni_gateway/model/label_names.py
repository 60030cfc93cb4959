"""Names that Omni defines and many resources use: labels, annotations, derived ids."""

from __future__ import annotations

from typing import Final

#: Labels and annotations with this prefix are Omni's own.
OWN_PREFIX: Final = "omni.sidero.dev/"

LABEL_ADDRESS: Final = f"{OWN_PREFIX}address"
LABEL_AVAILABLE: Final = f"{OWN_PREFIX}available"
LABEL_CLUSTER: Final = f"{OWN_PREFIX}cluster"
LABEL_CLUSTER_MACHINE: Final = f"{OWN_PREFIX}cluster-machine"
LABEL_CLUSTER_UUID: Final = f"{OWN_PREFIX}cluster-uuid"
LABEL_CONNECTED: Final = f"{OWN_PREFIX}connected"
LABEL_CONTROL_PLANE: Final = f"{OWN_PREFIX}role-controlplane"
LABEL_DISCONNECTED: Final = f"{OWN_PREFIX}disconnected"
LABEL_INSTALLED: Final = f"{OWN_PREFIX}installed"
#: On a node that Omni made for a machine of a machine class.
LABEL_ALLOCATED: Final = f"{OWN_PREFIX}managed-by-machine-set-node-controller"
LABEL_MACHINE: Final = f"{OWN_PREFIX}machine"
LABEL_MACHINE_SET: Final = f"{OWN_PREFIX}machine-set"
LABEL_NO_MANUAL_ALLOCATION: Final = f"{OWN_PREFIX}no-manual-allocation"
LABEL_NODE_NAME: Final = f"{OWN_PREFIX}node-name"
LABEL_READY_TO_USE: Final = f"{OWN_PREFIX}ready-to-use"
LABEL_REPORTING_EVENTS: Final = f"{OWN_PREFIX}reporting-events"
LABEL_SYSTEM_PATCH: Final = f"{OWN_PREFIX}system-patch"
LABEL_TAINTED_BY_BREAK_GLASS: Final = f"{OWN_PREFIX}tainted-by-break-glass"
LABEL_TAINTED_BY_EXPORTING: Final = f"{OWN_PREFIX}tainted-by-exporting"
LABEL_TAINTED_BY_IMPORTING: Final = f"{OWN_PREFIX}tainted-by-importing"
LABEL_WORKER: Final = f"{OWN_PREFIX}role-worker"

ANNOTATION_CLUSTER_LOCKED: Final = f"{OWN_PREFIX}cluster-locked"
ANNOTATION_IMPORTING: Final = f"{OWN_PREFIX}cluster-import-is-in-progress"
ANNOTATION_LOCKED: Final = f"{OWN_PREFIX}locked"
ANNOTATION_NAME: Final = "name"
#: On a ClusterSecretsRotationStatus: the version of the request that Omni has served last.
ANNOTATION_KUBERNETES_CA_VERSION: Final = f"{OWN_PREFIX}rotate-kubernetes-ca-version"
ANNOTATION_TALOS_CA_VERSION: Final = f"{OWN_PREFIX}rotate-talos-ca-version"


def control_planes(cluster: str) -> str:
    """Return the id that a cluster's control plane set must have; its ControlPlaneStatus has the same."""
    return f"{cluster}-control-planes"


def cluster_of_control_planes(id: str) -> str:
    """Return the cluster of the control plane set with this id."""
    return id.removesuffix("-control-planes")


def workers(cluster: str, name: str = "") -> str:
    """Return the id of a worker set: ``<cluster>-workers`` or ``<cluster>-workers-<name>``."""
    return f"{cluster}-workers-{name}" if name else f"{cluster}-workers"
