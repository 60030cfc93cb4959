"""The controllers: small level-triggered loops, each of which owns a few resource types.

They read state and write state and keep none of their own, so that a simulator which was stopped, or killed, goes on
where it was.
"""

from __future__ import annotations

from ..context import Controller
from .allocation import Allocation
from .auto_destroy import AutoDestroy
from .bootstrap import Bootstrap, ControlPlane
from .cluster_basics import ClusterBasics
from .cluster_machine_status import ClusterMachineStatus
from .cluster_status import ClusterStatus
from .destroy_cluster import DestroyCluster
from .destroy_machine_set import DestroyMachineSet
from .discovery import Discovery
from .endpoints import Endpoints
from .etcd_backup import EtcdBackup
from .exposed_services import ExposedServices
from .finalizers import Finalizers
from .image_pull import ImagePull
from .install import Install
from .join_tokens import JoinTokens
from .kubernetes_manifests import KubernetesManifests
from .kubernetes_status import KubernetesStatus
from .kubernetes_upgrade import KubernetesUpgrade
from .link_cleanup import LinkCleanup
from .load_balancer import LoadBalancer
from .machine_config import MachineConfig
from .machine_life import MachineLife
from .machine_requests import MachineRequests
from .machine_set_nodes import MachineSetNodes
from .machine_set_status import MachineSetStatus
from .machines import Machines
from .metrics import ClusterMetrics, MachineMetrics
from .ongoing_tasks import OngoingTasks
from .rollout import Rollout
from .secret_rotation import SecretRotation
from .system_patches import SystemPatches
from .talos_upgrade import TalosUpgrade


def all_controllers() -> tuple[Controller, ...]:
    """Return one of each, for a runtime."""
    return (
        Finalizers(),
        ClusterBasics(),
        SystemPatches(),
        Endpoints(),
        LoadBalancer(),
        ExposedServices(),
        Bootstrap(),
        ControlPlane(),
        Allocation(),
        # Counts before MachineSetNodes acts: what is asked for shows before it is there.
        MachineSetStatus(),
        MachineSetNodes(),
        ClusterStatus(),
        MachineConfig(),
        TalosUpgrade(),
        Rollout(),
        Install(),
        Discovery(),
        MachineLife(),
        Machines(),
        ClusterMachineStatus(),
        KubernetesStatus(),
        KubernetesManifests(),
        KubernetesUpgrade(),
        SecretRotation(),
        ImagePull(),
        EtcdBackup(),
        OngoingTasks(),
        ClusterMetrics(),
        MachineMetrics(),
        JoinTokens(),
        MachineRequests(),
        LinkCleanup(),
        DestroyMachineSet(),
        DestroyCluster(),
        AutoDestroy(),
    )
