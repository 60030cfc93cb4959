"""Backups, listed per cluster: Omni refuses a list of all clusters' backups."""

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
#: Concurrent calls to Omni for one list of all clusters' backups.
PARALLEL_CALLS = 8
_ID = re.compile(r"(.+)-\d+\Z")


def cluster_of(id: str) -> str:
    """Return the cluster of a backup: an id is ``<cluster>-<unix seconds>``."""
    found = _ID.match(id)
    return found[1] if found else id


class EtcdBackupAdapter(OmniResourceAdapter):
    """Backups of one cluster, or of all."""

    #: Omni reads backups from their storage at each call, and sends no event for those of all clusters.
    cacheable_response = False

    def __init__(self) -> None:
        super().__init__(types.ETCD_BACKUPS, sortable=("created_at", "snapshot", "size"))

    def list(self, query: ListQuery) -> Listing:
        """Return the backups of ``query.filters["cluster"]``, else those of every cluster, read concurrently."""
        wanted = query.filters.get("cluster")
        if wanted:
            return select(self._of(wanted), query, self.sortable)
        clusters = [item.id for item in resources_of(self.omni.resources.list(types.CLUSTERS))]
        backups = [item for found in map_concurrently(self._of, clusters, PARALLEL_CALLS) for item in found]
        return select(backups, query, self.sortable)

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster that the spec names."""
        return resource.spec.get("cluster") or cluster_of(resource.id)

    def _of(self, cluster: str) -> Sequence[Resource]:
        """Return one cluster's backups; none for a cluster that does not exist (any more).

        None either for a name that is not ASCII: Omni allows such names, but lists backups by a label query only, which
        cannot contain them.
        """
        if not cluster.isascii():
            return ()
        try:
            page = self.omni.resources.list(self.type, self.namespace, selectors=[_term(cluster)])
        except omni_errors.NotFound:
            return ()
        return [self.shown(item) for item in resources_of(page)]

    def shown(self, resource: Resource) -> Resource:
        """Return a backup with its cluster in the spec, as callers write it."""
        cluster = resource.labels.get(label_names.LABEL_CLUSTER) or cluster_of(resource.id)
        return replace(resource, spec={**resource.spec, "cluster": cluster})

    def get(self, id: str) -> Resource:
        """Read one backup; ``NotFound`` for an invalid id too, for which Omni returns ``Unknown``."""
        if not _ID.match(id):
            raise NotFound(id)
        return super().get(id)

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow one cluster's backups by Omni's watch.

        Those of all clusters, and of one that does not exist (yet), are polled: Omni refuses to watch them.
        """
        cluster = query.filters.get("cluster", "")
        if id or not cluster.isascii() or not cluster or find(self.omni, types.CLUSTERS, cluster) is None:
            with self.polled(query, id) as changes:
                yield changes
            return
        with super().watch(replace(query, selector=None, sort=(), offset=0, limit=0)) as changes:
            yield (
                change
                for change in changes
                if change.resource is None or query.selector is None or query.selector.matches(change.resource.labels)
            )

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the one label term that Omni accepts."""
        return [_term(query.filters["cluster"])]

    def predict(self, resource: Resource | None, existing: Resource | None) -> None:
        """Predict nothing: the objects written are requests for backups."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 404 for a cluster that does not exist, which Omni does not check."""
        cluster = resource.spec["cluster"]
        if find(self.omni, types.CLUSTERS, cluster) is None:
            raise Problem(404, "not-found", f"There is no cluster {cluster!r}.")

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Created:
        """Request a backup now: there is one request object per cluster, which is overwritten."""
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
