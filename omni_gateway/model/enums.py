"""Omni's enums that the specs of several types use (for ``fields.Enum``)."""

from __future__ import annotations

from enum import IntEnum


class Architecture(IntEnum):
    """Values of ``specs.PlatformConfigSpec.Arch``."""

    UNKNOWN_ARCH = 0
    AMD64 = 1
    ARM64 = 2


class GrpcTunnelMode(IntEnum):
    """Values of ``specs.GrpcTunnelMode``."""

    UNSET = 0
    ENABLED = 1
    DISABLED = 2


class ClusterPhase(IntEnum):
    """``specs.ClusterStatusSpec.Phase``."""

    UNKNOWN = 0
    SCALING_UP = 1
    SCALING_DOWN = 2
    RUNNING = 3
    DESTROYING = 4


class KubernetesUpgradePhase(IntEnum):
    """``specs.KubernetesUpgradeStatusSpec.Phase``."""

    Unknown = 0
    Upgrading = 1
    Done = 2
    Failed = 3
    Reverting = 4


class TalosUpgradePhase(IntEnum):
    """``specs.TalosUpgradeStatusSpec.Phase``."""

    Unknown = 0
    Upgrading = 1
    Done = 2
    Failed = 3
    Reverting = 4
    UpdatingMachineSchematics = 5


class MachineUpgradePhase(IntEnum):
    """``specs.MachineUpgradeStatusSpec.Phase``."""

    Unknown = 0
    Pending = 1
    Upgrading = 2
    UpToDate = 3


class SecretRotationPhase(IntEnum):
    """``specs.SecretRotationSpec.Phase``."""

    OK = 0
    PRE_ROTATE = 1
    ROTATE = 2
    POST_ROTATE = 3


class SecretRotationComponent(IntEnum):
    """``specs.SecretRotationSpec.Component``."""

    NONE = 0
    TALOS_CA = 1
    KUBERNETES_CA = 2
