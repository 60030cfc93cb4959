"""Which rules belong to which type."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    clusters,
    configpatches,
    etcd,
    extensions,
    kubernetes,
    machineclasses,
    machines,
    machinesetnodes,
    machinesets,
    media,
    policies,
    providers,
    tokens,
)
from .base import Rules

_ALL: tuple[Rules, ...] = (
    clusters.RULES,
    configpatches.RULES,
    etcd.BUCKET,
    etcd.MANUAL,
    extensions.RULES,
    kubernetes.HEALTH_CHECK,
    kubernetes.IMPORTED,
    kubernetes.MANIFESTS,
    *kubernetes.ROTATIONS,
    machineclasses.RULES,
    machines.FORCE_DESTROY,
    machines.INFRA_CONFIG,
    machines.INSTALL_DISK,
    machines.KERNEL_ARGS,
    machinesetnodes.RULES,
    machinesets.RULES,
    media.RULES,
    policies.EULA,
    policies.LABEL_RULE,
    policies.POLICY,
    providers.PROVIDER,
    providers.REQUEST,
    providers.REQUEST_SET,
    tokens.DEFAULT_TOKEN,
    tokens.TOKEN,
)

REGISTRY: Mapping[str, Rules] = {rules.type: rules for rules in _ALL}
