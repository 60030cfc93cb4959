"""Clusters in Omni."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from omni_gateway.sdk import (
    FieldErrors,
    OmniResourceAdapter,
    Problem,
    Resource,
)
from omni_gateway.sdk.adapters import cluster_of_uuid, find, update
from omni_gateway.sdk.clusters import cluster_lock, install_disks
from omni_gateway.sdk.omni import OmniError, omni_errors, types
from resources.cluster.create import record
from resources.cluster.create.checks import check_composition
from resources.cluster.create.creation import build
from resources.cluster.create.parts import parts_of
from resources.cluster.disconnected_machines import DISCONNECTED, disconnected_parts
from resources.cluster.versions import Catalogue

_SORTABLE = ("kubernetes_version", "talos_version")


class ClusterAdapter(OmniResourceAdapter):
    """Clusters, with clearer checks than Omni's own, and the machine sets and patches of a POST."""

    def __init__(self) -> None:
        super().__init__(types.CLUSTERS, sortable=_SORTABLE, id_is_of="cluster")

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete a new cluster's versions, and check every field against Omni's own data.

        Raises 422 ``validation``, and 409 for a locked cluster.
        """
        refusals = FieldErrors()
        if existing is None:
            _check_name(resource.id, refusals)
            _complete_versions(self._catalogue(), resource, refusals)
        else:
            cluster_lock.refuse_change(existing, resource)
            self._check_changed_versions(resource, existing, refusals)
        self._check_backup_interval(resource, existing, refusals)
        if existing is None and extras:
            check_composition(self.omni, self.scope, resource, extras, refusals)
        refusals.raise_if_any()

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return also the cluster whose backup is to be restored: the backup contains all of its secrets."""
        backup = (extras.get("control_plane") or {}).get("bootstrap_spec") or {}
        source = cluster_of_uuid(self.omni, backup.get("cluster_uuid", "")) if backup else None
        return [*super().other_clusters_affected(resource, existing, extras), *([source] if source else [])]

    def additional_objects(self, resource: Resource, extras: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the requested machine sets, nodes and patches, in the order in which they are written."""
        parts = [part.resource for part in parts_of(resource.id, extras)]
        return install_disks.as_omni_takes_them(self.omni, resource.id, parts)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        """Create the cluster and its parts; if one part fails, everything is removed again.

        While parts are missing the Cluster has a record of them, so that its operation can distinguish "being written"
        and "never written" from an empty cluster.
        """
        parts = self.additional_objects(resource, extras)
        super().create(record.recorded(resource, parts) if parts else resource, extras)
        build(self.omni, resource, parts)
        if parts:
            self._close_record(resource.id)

    def _close_record(self, id: str) -> None:
        """Remove the record; failures are ignored, since a record without missing parts has no effect."""
        with suppress(OmniError, Problem):
            update(self, id, record.without_record)

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 for a locked cluster, unless it is being removed already."""
        if not resource.tearing_down:
            cluster_lock.refuse_change(resource, resource)

    def delete(self, resource: Resource) -> None:
        """Tear the cluster down; 409 if Omni refuses because it is locked."""
        try:
            super().delete(resource)
        except omni_errors.InvalidArgument as error:
            if cluster_lock.is_locked(resource):
                raise cluster_lock.locked_problem(resource.id, error.detail) from error
            raise

    def check_delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Raise 409 for a locked cluster."""
        self.check_delete(resource)

    def also_deleted(self, resource: Resource, options: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the machines that ``force=disconnected`` removes from Omni, and the objects that are only theirs."""
        return disconnected_parts(self.omni, resource.id) if options.get("force") == DISCONNECTED else ()

    def delete_with(self, resource: Resource, options: Mapping[str, Any]) -> None:
        """Tear the cluster down, and with ``force=disconnected`` the machines that Omni cannot reach.

        The cluster is first: if its removal is refused, no machine is removed.
        """
        additional = self.also_deleted(resource, options)
        if not resource.tearing_down or not resource.finalizers:
            self.delete(resource)
        for part in additional:
            with suppress(omni_errors.NotFound):
                self.omni.resources.remove(part.type, part.id, part.namespace)

    def _catalogue(self) -> Catalogue:
        return Catalogue.read(self.omni)

    def _check_changed_versions(self, resource: Resource, existing: Resource, refusals: FieldErrors) -> None:
        pair = ("talos_version", "kubernetes_version")
        for name in pair:
            if not resource.spec.get(name):
                now = existing.spec.get(name, "")
                refusals.add(name, f"Missing: a cluster always has one. Send the present one to keep it: {now}.")
        changed = {name for name in pair if resource.spec.get(name) != existing.spec.get(name)}
        if not refusals and changed:
            wrong = self._catalogue().problems(*(resource.spec[name] for name in pair))
            if "talos_version" not in changed:
                wrong.pop("talos_version", None)  # an unchanged version may stay, even if Omni has withdrawn it since
            refusals.update(wrong)

    def _check_backup_interval(self, resource: Resource, existing: Resource | None, refusals: FieldErrors) -> None:
        """Check the interval against this Omni's limits; Omni requires one wherever the message is set."""
        backups = resource.spec.get("backup_configuration")
        if backups is None or (existing and backups == existing.spec.get("backup_configuration")):
            return
        low, high = self._backup_limits()
        interval = _seconds(backups.get("interval"), 0.0)
        if not low <= interval <= high:
            text = f"Must be from {low:g}s to {high:g}s on this Omni, also while `enabled` is false."
            refusals.add("backup_configuration.interval", text)

    def _backup_limits(self) -> tuple[float, float]:
        features = find(self.omni, types.FEATURES_CONFIGS, "features-config")
        settings = features.spec.get("etcd_backup_settings") or {} if features else {}
        return _seconds(settings.get("min_interval"), 0.0), _seconds(settings.get("max_interval"), math.inf)


def _check_name(name: str, refusals: FieldErrors) -> None:
    if not all(character in "-_" or character.isalpha() or character.isdecimal() for character in name):
        refusals.add("id", "A cluster's name may hold letters, digits, `-` and `_` only.")


def _complete_versions(catalogue: Catalogue, resource: Resource, refusals: FieldErrors) -> None:
    """Choose the versions that the caller left out, then check the pair against Omni's catalogue."""
    spec = resource.spec
    talos = spec.get("talos_version") or catalogue.newest_talos(spec.get("kubernetes_version"))
    if talos is None:
        refusals.add("kubernetes_version", "No Talos version that Omni offers is compatible with it.")
        return
    kubernetes = spec.get("kubernetes_version") or catalogue.newest_kubernetes(talos) or ""
    spec.update(talos_version=talos, kubernetes_version=kubernetes)
    refusals.update(catalogue.problems(talos, kubernetes))


def _seconds(text: str | None, default: float) -> float:
    """Parse a duration in its wire form, ``"3600s"``; ``default`` if it is empty."""
    return float(text.removesuffix("s")) if text else default
