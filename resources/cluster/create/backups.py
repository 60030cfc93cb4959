"""Whether a cluster can be started from an etcd backup."""

from __future__ import annotations

from collections.abc import Mapping

from omni_gateway.sdk import FieldErrors, OmniClient
from omni_gateway.sdk.adapters import cluster_of_uuid, find
from omni_gateway.sdk.omni import label_names, types


def uuid_of(omni: OmniClient, cluster: str) -> str:
    """Return a cluster's UUID; empty before Omni has assigned one."""
    found = find(omni, types.CLUSTER_UUIDS, cluster)
    return str(found.spec.get("uuid", "")) if found else ""


def check_backup(omni: OmniClient, backup: Mapping[str, str], field: str, refusals: FieldErrors) -> None:
    """Add the errors of a backup to start from to ``refusals``; ``field`` is its place in the request."""
    uuid = backup["cluster_uuid"]
    source = cluster_of_uuid(omni, uuid)
    if source is None:
        text = "Omni knows no cluster with this UUID; the cluster that was backed up must still exist."
        refusals.add(f"{field}.cluster_uuid", text)
        return
    page = omni.resources.list(types.ETCD_BACKUPS, selectors=[f"{label_names.LABEL_CLUSTER}={source}"])
    if backup["snapshot"] not in {(item.get("spec") or {}).get("snapshot") for item in page.items}:
        refusals.add(f"{field}.snapshot", f"Cluster {source!r} has no backup of this name.")
