"""A cluster's etcd backups: the list, and whether one can be started from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from marshmallow import fields

from omni_gateway.sdk import (
    Change,
    Filter,
    Listing,
    ListQuery,
    OmniClient,
    OmniResourceAdapter,
    Refusals,
    Resource,
    ResourceSchema,
    find,
    names,
    sort_and_cut,
    types,
)
from omni_gateway.sdk import fields as wire

OF_CLUSTER = Filter("cluster", "Only those of this cluster")


class ClusterEtcdBackupSchema(ResourceSchema):
    """A backup of a cluster's etcd; restore it by `actions/bootstrap`, or in `control_plane.bootstrap_spec`."""

    created_at = wire.Timestamp(dump_only=True)
    snapshot = fields.String(dump_only=True)
    size = wire.Int64(dump_only=True, metadata={"description": "Bytes"})


class EtcdBackupAdapter(OmniResourceAdapter):
    """Backups of one cluster. Omni lists them by cluster only and takes no other label term, so we select the rest."""

    def __init__(self) -> None:
        super().__init__(types.ETCD_BACKUPS, sortable=("created_at", "snapshot", "size"))

    def list(self, query: ListQuery) -> Listing:
        """Return the backups of ``query.filters["cluster"]``."""
        items = super().list(_of_cluster(query)).items
        chosen = [item for item in items if query.selector is None or query.selector.matches(item.labels)]
        return Listing(sort_and_cut(chosen, query, self.sortable), len(chosen))

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow the backups of one cluster."""
        with super().watch(_of_cluster(query), id) as changes:
            yield (
                change
                for change in changes
                if change.resource is None or query.selector is None or query.selector.matches(change.resource.labels)
            )

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the one term that Omni takes."""
        return [f"{names.LABEL_CLUSTER}={query.filters['cluster']}"]


def _of_cluster(query: ListQuery) -> ListQuery:
    return replace(query, selector=None, sort=(), offset=0, limit=0)


def uuid_of(omni: OmniClient, cluster: str) -> str:
    """Return a cluster's UUID; empty while Omni has not given it one."""
    found = find(omni, types.CLUSTER_UUIDS, cluster)
    return str(found.spec.get("uuid", "")) if found else ""


def check_backup(omni: OmniClient, backup: Mapping[str, str], field: str, refusals: Refusals) -> None:
    """Add to ``refusals`` what is wrong with a backup to start from; ``field`` is where the request speaks of it."""
    uuid = backup["cluster_uuid"]
    source = next((item.id for item in _clusters(omni) if item.spec.get("uuid") == uuid), None)
    if source is None:
        text = "Omni knows no cluster with this UUID; the cluster that was backed up must still exist."
        refusals.add(f"{field}.cluster_uuid", text)
        return
    page = omni.resources.list(types.ETCD_BACKUPS, selectors=[f"{names.LABEL_CLUSTER}={source}"])
    if backup["snapshot"] not in {(item.get("spec") or {}).get("snapshot") for item in page.items}:
        refusals.add(f"{field}.snapshot", f"Cluster {source!r} has no backup of this name.")


def _clusters(omni: OmniClient) -> Iterator[Resource]:
    return map(Resource.from_omni, omni.resources.list(types.CLUSTER_UUIDS).items)
