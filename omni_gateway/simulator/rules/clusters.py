"""Rules of Clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omni_gateway.simulator.rules import locks
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.durations import seconds
from omni_gateway.simulator.rules.versions import is_semver, minor
from omni_gateway.simulator.state.resource import Resource

TYPE = locks.CLUSTER
TALOS_VERSION = "TalosVersions.omni.sidero.dev"
_CONFIG_VERSION = "ClusterConfigVersions.omni.sidero.dev"
_UPGRADE_STATUS = "KubernetesUpgradeStatuses.omni.sidero.dev"
_FEATURES = "FeaturesConfigs.omni.sidero.dev"
_OWN_DISCOVERY_SINCE = (1, 14)
_ENCRYPTION_SINCE = (1, 5)


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check the name, both versions with each other, the backup interval and the features."""
    if not all(char.isalnum() or char in "-_" for char in new.id):
        yield f"the name {new.id!r} may have letters, digits, - and _ only"
    yield from _talos(ctx, new)
    yield from _kubernetes(ctx, new)
    yield from _backups(ctx, new)
    yield from _features(ctx, new, minor(_version(new, "talos")))


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check the lock and whatever changed; an object that is tearing down is not looked at."""
    if old.phase != "running":
        return
    importing = locks.is_importing(old) or locks.is_importing(new)
    if locks.is_locked(old) and locks.is_locked(new) and not importing:
        yield f"the cluster {old.id!r} is locked"
    talos_changed = _version(old, "talos") != _version(new, "talos")
    kubernetes_changed = _version(old, "kubernetes") != _version(new, "kubernetes")
    if talos_changed:
        yield from _talos(ctx, new)
        yield from _above_first(ctx, new)
    if talos_changed or kubernetes_changed:
        yield from _kubernetes(ctx, new)
    if kubernetes_changed:
        yield from _kubernetes_step(ctx, old, new)
    if old.spec.get("backup_configuration") != new.spec.get("backup_configuration"):
        yield from _backups(ctx, new)
    yield from _changed_features(ctx, old, new)


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """A locked cluster stays."""
    yield from locks.against_removal(ctx, old)


RULES = Rules(TYPE, create, update, destroy)


def _version(res: Resource, of: str) -> str:
    return str(res.spec.get(f"{of}_version") or "")


def _talos(ctx: RuleContext, new: Resource) -> Iterator[str]:
    version = _version(new, "talos")
    known = ctx.find(TALOS_VERSION, version)
    if not version:
        yield "the Talos version is missing"
    elif known is None:
        yield f"there is no Talos version {version!r}" + ("" if is_semver(version) else ": it is not even a version")
    elif known.spec.get("deprecated") or known.spec.get("unsupported"):
        yield f"the Talos version {version} is not supported any more"


def _kubernetes(ctx: RuleContext, new: Resource) -> Iterator[str]:
    version, talos = _version(new, "kubernetes"), ctx.find(TALOS_VERSION, _version(new, "talos"))
    if not version:
        yield "the Kubernetes version is missing"
    elif not is_semver(version):
        yield f"{version!r} is not a version of Kubernetes"
    elif talos is not None and version not in talos.spec.get("compatible_kubernetes_versions", ()):
        yield f"Kubernetes {version} does not run on Talos {talos.id}"


def _above_first(ctx: RuleContext, new: Resource) -> Iterator[str]:
    first = ctx.find(_CONFIG_VERSION, new.id)
    if first is not None and minor(_version(new, "talos")) < minor(first.spec.get("version", "")):
        yield f"the cluster began with Talos {first.spec['version']} and cannot go below that minor"


def _kubernetes_step(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    before, after = minor(_version(old, "kubernetes")), minor(_version(new, "kubernetes"))
    if after in (before, (before[0], before[1] + 1)) or not is_semver(_version(new, "kubernetes")):
        return
    status = ctx.find(_UPGRADE_STATUS, new.id)
    spec = status.spec if status is not None else {}
    if spec.get("current_upgrade_version") and spec.get("last_upgrade_version") == _version(new, "kubernetes"):
        return  # an upgrade under way is taken back
    yield f"Kubernetes cannot go from {_version(old, 'kubernetes')} to {_version(new, 'kubernetes')} in one step"


def _backups(ctx: RuleContext, new: Resource) -> Iterator[str]:
    wanted = new.spec.get("backup_configuration")
    if wanted is None:
        return
    limits: dict[str, Any] = _server_features(ctx).get("etcd_backup_settings", {})
    low, high = seconds(limits.get("min_interval", "0s")), seconds(limits.get("max_interval", "0s"))
    if not low <= seconds(wanted.get("interval", "0s")) <= high:
        yield f"the backup interval must be from {low:g} to {high:g} seconds"


def _features(ctx: RuleContext, new: Resource, first: tuple[int, int]) -> Iterator[str]:
    wanted = new.spec.get("features") or {}
    if wanted.get("disk_encryption") and first < _ENCRYPTION_SINCE:
        yield "disk encryption needs Talos 1.5 or later"
    if wanted.get("use_embedded_discovery_service") and not _server_features(ctx).get("embedded_discovery_service"):
        yield "this Omni has no embedded discovery service"
    if not wanted.get("disable_public_discovery_service"):
        return
    if first < _OWN_DISCOVERY_SINCE:
        yield "the public discovery service can be turned off for clusters made with Talos 1.14 or later only"
    if not wanted.get("use_embedded_discovery_service"):
        yield "the public discovery service can be turned off together with the use of the embedded one only"


def _changed_features(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    before, after = old.spec.get("features") or {}, new.spec.get("features") or {}
    if bool(before.get("disk_encryption")) is not bool(after.get("disk_encryption")):
        yield "disk encryption cannot be turned on or off later"
    if before != after:
        first = ctx.find(_CONFIG_VERSION, new.id)
        began = first.spec.get("version", "") if first is not None else _version(old, "talos")
        yield from _features(ctx, new, minor(began))


def _server_features(ctx: RuleContext) -> dict[str, Any]:
    config = ctx.find(_FEATURES, "features-config")
    return config.spec if config is not None else {}
