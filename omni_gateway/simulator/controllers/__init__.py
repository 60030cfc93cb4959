"""The controllers: small level-triggered loops, each of which owns a few resource types.

They read state and write state and keep none of their own, so that a simulator which was stopped, or killed, goes on
where it was.
"""

from __future__ import annotations

from omni_gateway.simulator.controller_runtime.context import Controller
from omni_gateway.simulator.controllers.allocation import Allocation
from omni_gateway.simulator.controllers.auto_destroy import AutoDestroy
from omni_gateway.simulator.controllers.bootstrap import Bootstrap, ControlPlane
from omni_gateway.simulator.controllers.cluster_basics import ClusterBasics
from omni_gateway.simulator.controllers.cluster_machine_status import ClusterMachineStatus
from omni_gateway.simulator.controllers.cluster_secrets import ClusterSecrets
from omni_gateway.simulator.controllers.cluster_status import ClusterStatus
from omni_gateway.simulator.controllers.destroy_cluster import DestroyCluster
from omni_gateway.simulator.controllers.destroy_machine_set import DestroyMachineSet
from omni_gateway.simulator.controllers.discovery import Discovery
from omni_gateway.simulator.controllers.endpoints import Endpoints
from omni_gateway.simulator.controllers.etcd_backup import EtcdBackup
from omni_gateway.simulator.controllers.exposed_services import ExposedServices
from omni_gateway.simulator.controllers.finalizers import Finalizers
from omni_gateway.simulator.controllers.image_pull import ImagePull
from omni_gateway.simulator.controllers.install import Install
from omni_gateway.simulator.controllers.join_tokens import JoinTokens
from omni_gateway.simulator.controllers.kubernetes_manifests import KubernetesManifests
from omni_gateway.simulator.controllers.kubernetes_status import KubernetesStatus
from omni_gateway.simulator.controllers.kubernetes_upgrade import KubernetesUpgrade
from omni_gateway.simulator.controllers.link_cleanup import LinkCleanup
from omni_gateway.simulator.controllers.load_balancer import LoadBalancer
from omni_gateway.simulator.controllers.machine_config import MachineConfig
from omni_gateway.simulator.controllers.machine_life import MachineLife
from omni_gateway.simulator.controllers.machine_requests import MachineRequests
from omni_gateway.simulator.controllers.machine_set_nodes import MachineSetNodes
from omni_gateway.simulator.controllers.machine_set_status import MachineSetStatus
from omni_gateway.simulator.controllers.machines import Machines
from omni_gateway.simulator.controllers.metrics import ClusterMetrics, MachineMetrics
from omni_gateway.simulator.controllers.ongoing_tasks import OngoingTasks
from omni_gateway.simulator.controllers.rollout import Rollout
from omni_gateway.simulator.controllers.secret_rotation import SecretRotation
from omni_gateway.simulator.controllers.system_patches import SystemPatches
from omni_gateway.simulator.controllers.talos_upgrade import TalosUpgrade


def all_controllers() -> tuple[Controller, ...]:
    """Return one of each, for a runtime."""
    return (
        Finalizers(),
        ClusterBasics(),
        ClusterSecrets(),
        SystemPatches(),
        Endpoints(),
        LoadBalancer(),
        ExposedServices(),
        Bootstrap(),
        ControlPlane(),
        Allocation(),
        # Counts before MachineSetNodes acts: a requested machine shows before it is a member.
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
