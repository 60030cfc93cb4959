"""Rules of clusters, their backups and the rotation of their certificates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from omni_gateway.omni import types
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.predictions.rule import Write, feature, members_of, minor_of, seconds_of

#: Talos versions from which a feature is there.
_DISK_ENCRYPTION = (1, 5)
_OWN_DISCOVERY_ONLY = (1, 14)
_LONGEST_BACKUP_DELAY_SECONDS = 60.0


def cluster(write: Write) -> Iterator[str]:
    """Yield the errors of a cluster."""
    if write.existing is None:
        if not all(character.isalnum() or character in "-_" for character in write.resource.id):
            yield "A cluster's name may hold letters, digits, `-` and `_` only."
    elif cluster_lock.takes_no_change(write.existing) and cluster_lock.takes_no_change(write.resource):
        yield "The cluster is locked."
    yield from _versions(write)
    yield from _backups(write)
    yield from _features(write)


def _versions(write: Write) -> Iterator[str]:
    talos, kubernetes = write.text("talos_version"), write.text("kubernetes_version")
    known = write.find(types.TALOS_VERSIONS, talos)
    if write.changes("talos_version"):
        if known is None:
            yield f"Omni knows no Talos {talos!r}."
        elif known.spec.get("deprecated") or known.spec.get("unsupported"):
            yield f"Talos {talos} is no longer supported."
        yield from _above_first(write, talos)
    if not write.changes("talos_version") and not write.changes("kubernetes_version"):
        return
    if minor_of(kubernetes) is None or kubernetes.startswith("v"):
        yield f"{kubernetes!r} is no version of Kubernetes."
    elif known is not None and kubernetes not in (known.spec.get("compatible_kubernetes_versions") or ()):
        yield f"Kubernetes {kubernetes} does not go with Talos {talos}."
    if write.existing and write.changes("kubernetes_version"):
        yield from _step(write, str(write.existing.spec.get("kubernetes_version") or ""), kubernetes)


def _above_first(write: Write, talos: str) -> Iterator[str]:
    first = write.find(types.CLUSTER_CONFIG_VERSIONS, write.resource.id) if write.existing else None
    lowest = minor_of(str(first.spec.get("version") or "")) if first else None
    if lowest and (minor_of(talos) or (0, 0)) < lowest:
        yield f"The cluster began with Talos {lowest[0]}.{lowest[1]} and cannot go below it."


def _step(write: Write, before: str, after: str) -> Iterator[str]:
    """Yield an error unless Kubernetes goes up by one minor version, or down to revert a running upgrade."""
    old, new = minor_of(before) or (0, 0), minor_of(after)
    if new is None or new in (old, (old[0], old[1] + 1)):
        return
    status = write.find(types.KUBERNETES_UPGRADE_STATUSES, write.resource.id)
    spec = status.spec if status else {}
    if not spec.get("current_upgrade_version") or spec.get("last_upgrade_version") != after:
        yield f"Kubernetes cannot go from {before} to {after} in one step."


def _backups(write: Write) -> Iterator[str]:
    wanted = write.resource.spec.get("backup_configuration")
    if wanted is None or not write.changes("backup_configuration"):
        return
    limits = members_of(feature(write, "etcd_backup_settings"))
    low = seconds_of(limits.get("min_interval"))
    high = seconds_of(limits.get("max_interval")) if limits.get("max_interval") else math.inf
    if not low <= seconds_of(wanted.get("interval")) <= high:
        yield f"The interval of backups must be from {low:g}s to {high:g}s."


def _features(write: Write) -> Iterator[str]:
    wanted = members_of(write.resource.spec.get("features"))
    before = members_of(write.existing.spec.get("features")) if write.existing else {}
    if write.existing and bool(wanted.get("disk_encryption")) != bool(before.get("disk_encryption")):
        yield "Disk encryption cannot be switched on or off later."
    if write.existing and wanted == before:
        return
    first = _first_talos(write)
    if wanted.get("disk_encryption") and first < _DISK_ENCRYPTION:
        yield "Disk encryption needs Talos 1.5 or later."
    embedded = wanted.get("use_embedded_discovery_service")
    if embedded and not feature(write, "embedded_discovery_service"):
        yield "This Omni has no embedded discovery service."
    if wanted.get("disable_public_discovery_service"):
        if first < _OWN_DISCOVERY_ONLY:
            yield "The public discovery service can be switched off for clusters made with Talos 1.14 or later only."
        if not embedded:
            yield "The public discovery service can be switched off only where the embedded one is used."


def _first_talos(write: Write) -> tuple[int, int]:
    """Return major and minor of the Talos version that a cluster was, or is being, created with."""
    if write.existing is None:
        return minor_of(write.text("talos_version")) or (0, 0)
    first = write.find(types.CLUSTER_CONFIG_VERSIONS, write.resource.id)
    version = first.spec.get("version") if first else write.existing.spec.get("talos_version")
    return minor_of(str(version or "")) or (0, 0)


def manual_backup(write: Write) -> Iterator[str]:
    """Yield the errors of a request for a backup; Omni accepts only the present time, within 60 seconds."""
    if not write.changes("backup_at"):
        return
    moment = write.text("backup_at")
    off = abs((datetime.fromisoformat(moment[:19] + "+00:00") - datetime.now(UTC)).total_seconds()) if moment else None
    if off is None or off > _LONGEST_BACKUP_DELAY_SECONDS:
        yield f"`backup_at` must be within {_LONGEST_BACKUP_DELAY_SECONDS:g} seconds of Omni's time."


def rotation(write: Write) -> Iterator[str]:
    """Yield the errors of a change of a rotation."""
    status = write.find(types.CLUSTER_SECRETS_ROTATION_STATUSES, write.resource.id) if write.existing else None
    if status is not None and status.spec.get("phase"):
        yield "A rotation is under way."
