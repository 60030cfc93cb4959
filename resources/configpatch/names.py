"""Omni's names for what a configuration patch has to do with."""

from __future__ import annotations

from typing import Final

_SUFFIX: Final = ".omni.sidero.dev"
_PREFIX: Final = "omni.sidero.dev/"

CLUSTERS: Final = f"Clusters{_SUFFIX}"
CONFIG_PATCHES: Final = f"ConfigPatches{_SUFFIX}"
MACHINE_SETS: Final = f"MachineSets{_SUFFIX}"

LABEL_CLUSTER: Final = f"{_PREFIX}cluster"
LABEL_CLUSTER_MACHINE: Final = f"{_PREFIX}cluster-machine"
LABEL_MACHINE: Final = f"{_PREFIX}machine"
LABEL_MACHINE_SET: Final = f"{_PREFIX}machine-set"
LABEL_SYSTEM_PATCH: Final = f"{_PREFIX}system-patch"
