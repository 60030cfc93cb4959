"""Backups, cluster by cluster: Omni lists those of one cluster only (facts: cluster-side 11)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from omni_gateway.sdk import (
    Filter,
    Listing,
    ListQuery,
    NotFound,
    OmniResourceAdapter,
    Problem,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.adapters import (
    Change,
    Created,
    find,
    map_concurrently,
    resources_of,
    select,
)
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.etcdbackup.operation import backup_of

OF_CLUSTER = Filter("cluster", "Only those of this cluster")
#: Calls to Omni that one list of all clusters' backups keeps in flight.
PARALLEL_CALLS = 8
_ID = re.compile(r"(.+)-\d+\Z")


def cluster_of(id: str) -> str:
    """Return the cluster of a backup: an id is ``<cluster>-<unix seconds>``."""
    found = _ID.match(id)
    return found[1] if found else id


class EtcdBackupAdapter(OmniResourceAdapter):
    """Backups of one cluster, or of all."""

    def __init__(self) -> None:
        super().__init__(types.ETCD_BACKUPS, sortable=("created_at", "snapshot", "size"))

    def list(self, query: ListQuery) -> Listing:
        """Return the backups of ``query.filters["cluster"]``, else those of every cluster, asked for side by side."""
        wanted = query.filters.get("cluster")
        if wanted:
            return select(self._of(wanted), query, self.sortable)
        clusters = [item.id for item in resources_of(self.omni.resources.list(types.CLUSTERS))]
        backups = [item for found in map_concurrently(self._of, clusters, PARALLEL_CALLS) for item in found]
        return select(backups, query, self.sortable)

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster that the spec names."""
        return resource.spec.get("cluster") or cluster_of(resource.id)

    def _of(self, cluster: str) -> Sequence[Resource]:
        """Return one cluster's backups; none for a cluster that is not there (any more).

        None either for one whose name is not ASCII: a name may be (facts: cluster-side 2), but Omni lists backups by it
        alone, and no label query carries it.
        """
        if not cluster.isascii():
            return ()
        try:
            page = self.omni.resources.list(self.type, self.namespace, selectors=[_term(cluster)])
        except omni_errors.NotFound:
            return ()
        return [self.shown(item) for item in resources_of(page)]

    def shown(self, resource: Resource) -> Resource:
        """Return a backup with its cluster in the spec, where callers write it too."""
        cluster = resource.labels.get(label_names.LABEL_CLUSTER) or cluster_of(resource.id)
        return replace(resource, spec={**resource.spec, "cluster": cluster})

    def get(self, id: str) -> Resource:
        """Read one backup; a name that can be none is not there (Omni answers ``Unknown``)."""
        if not _ID.match(id):
            raise NotFound(id)
        return super().get(id)

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow one cluster's backups as Omni tells them.

        Those of all clusters, and of one that is not there (yet), are listed again and again: Omni refuses.
        """
        cluster = query.filters.get("cluster", "")
        if id or not cluster.isascii() or not cluster or find(self.omni, types.CLUSTERS, cluster) is None:
            with ResourceAdapter.watch(self, query, id) as changes:
                yield changes
            return
        with super().watch(replace(query, selector=None, sort=(), offset=0, limit=0)) as changes:
            yield (
                change
                for change in changes
                if change.resource is None or query.selector is None or query.selector.matches(change.resource.labels)
            )

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the one term that Omni takes."""
        return [_term(query.filters["cluster"])]

    def foresee(self, resource: Resource | None, existing: Resource | None) -> None:
        """Foresee nothing of Omni's: what is written are requests for backups."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 404 for a cluster that is not there: Omni would not say."""
        cluster = resource.spec["cluster"]
        if find(self.omni, types.CLUSTERS, cluster) is None:
            raise Problem(404, "not-found", f"There is no cluster {cluster!r}.")

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Ask for a backup now: one request for each cluster, written over when there was one before."""
        cluster = resource.spec["cluster"]
        now: dict[str, Any] = {"backup_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
        before = find(self.omni, types.ETCD_MANUAL_BACKUPS, cluster)
        if before is None:
            self.omni.resources.create(types.ETCD_MANUAL_BACKUPS, cluster, now)
        else:
            self.omni.resources.update(replace(before, spec=now).to_omni(), version=before.version)
        return backup_of(self.omni, Resource(cluster, spec=now))


def _term(cluster: str) -> str:
    return f"{label_names.LABEL_CLUSTER}={cluster}"
