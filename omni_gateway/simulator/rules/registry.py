"""Which rules belong to which type: one small module for each."""

from __future__ import annotations

from collections.abc import Mapping

from omni_gateway.simulator.rules import (
    accesspolicies,
    clusters,
    configpatches,
    defaultjointokens,
    etcdbuckets,
    etcdmanualbackups,
    eula,
    extensions,
    healthchecks,
    importedsecrets,
    inframachines,
    infraproviders,
    installationmedia,
    jointokens,
    kernelargs,
    machineclasses,
    machineinstalldisks,
    machinerequests,
    machinerequestsets,
    machinesetnodes,
    machinesets,
    manifestgroups,
    nodeforcedestroys,
    rotations,
    samllabelrules,
)
from omni_gateway.simulator.rules.base import Rules

_ALL: tuple[Rules, ...] = (
    accesspolicies.RULES,
    clusters.RULES,
    configpatches.RULES,
    defaultjointokens.RULES,
    etcdbuckets.RULES,
    etcdmanualbackups.RULES,
    eula.RULES,
    extensions.RULES,
    healthchecks.RULES,
    importedsecrets.RULES,
    inframachines.RULES,
    infraproviders.RULES,
    installationmedia.RULES,
    jointokens.RULES,
    kernelargs.RULES,
    machineclasses.RULES,
    machineinstalldisks.RULES,
    machinerequests.RULES,
    machinerequestsets.RULES,
    machinesetnodes.RULES,
    machinesets.RULES,
    manifestgroups.RULES,
    nodeforcedestroys.RULES,
    rotations.KUBERNETES,
    rotations.TALOS,
    samllabelrules.RULES,
)

REGISTRY: Mapping[str, Rules] = {rules.type: rules for rules in _ALL}
