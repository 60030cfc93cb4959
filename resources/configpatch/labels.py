"""The labels that say what a patch is for."""

CLUSTER = "omni.sidero.dev/cluster"
MACHINE_SET = "omni.sidero.dev/machine-set"
CLUSTER_MACHINE = "omni.sidero.dev/cluster-machine"
MACHINE = "omni.sidero.dev/machine"
SYSTEM_PATCH = "omni.sidero.dev/system-patch"
