class Architecture(IntEnum):
    UNKNOWN_ARCH = 0
    AMD64 = 1
    ARM64 = 2
class GrpcTunnelMode(IntEnum):
    UNSET = 0
    ENABLED = 1
    DISABLED = 2
class ClusterPhase(IntEnum):
    UNKNOWN = 0
    SCALING_UP = 1
    SCALING_DOWN = 2
    RUNNING = 3
    DESTROYING = 4
class KubernetesUpgradePhase(IntEnum):
    Unknown = 0
    Upgrading = 1
    Done = 2
    Failed = 3
    Reverting = 4
class TalosUpgradePhase(IntEnum):
    Unknown = 0
    Upgrading = 1
    Done = 2
    Failed = 3
    Reverting = 4
    UpdatingMachineSchematics = 5
class MachineUpgradePhase(IntEnum):
    Unknown = 0
    Pending = 1
    Upgrading = 2
    UpToDate = 3
