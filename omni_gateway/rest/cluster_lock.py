"""The lock of a cluster: an annotation that prevents changes of the cluster, its machine sets and its machines.

Omni rejects such a change with InvalidArgument, as if the request were invalid. The cause is the cluster's state, so
the gateway raises 409 with a hint.
"""

from __future__ import annotations

from collections.abc import Mapping

from omni_gateway.http.problems import Problem
from omni_gateway.model.label_names import ANNOTATION_CLUSTER_LOCKED, ANNOTATION_IMPORTING, ANNOTATION_LOCKED
from omni_gateway.model.lookup import find
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.links import object_url

#: Annotations that lock a cluster or machine, or exempt an import; a write that does not name one keeps it.
LOCKS = frozenset({ANNOTATION_CLUSTER_LOCKED, ANNOTATION_LOCKED, ANNOTATION_IMPORTING})


def with_locks(wanted: Mapping[str, str | None], existing: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations for a replace: those of ``wanted``, and the existing locks that it does not name.

    Null removes a lock. Called for every replace: a document that a template renders, or that was saved before the
    object was locked, does not name the lock, and removing a lock may start an upgrade.
    """
    locks = {key: value for key, value in existing.items() if key in LOCKS and key not in wanted}
    return {**{key: value for key, value in wanted.items() if value is not None}, **locks}


def is_locked(cluster: Resource) -> bool:
    """Return True if a cluster has the lock."""
    return ANNOTATION_CLUSTER_LOCKED in cluster.annotations


def takes_no_change(cluster: Resource) -> bool:
    """Return True if the lock prevents changes; it does not while an import is in progress."""
    return is_locked(cluster) and ANNOTATION_IMPORTING not in cluster.annotations


def locked_problem(cluster: str, reason: str = "") -> Problem:
    """Return the 409 for a locked cluster; ``reason`` is Omni's own text."""
    detail = f"Cluster {cluster!r} is locked." + (f" Omni says: {reason}" if reason else "")
    return Problem(409, "conflict", detail, hint=f"POST {object_url('clusters', cluster, 'actions', 'unlock')} first.")


def refuse_change(existing: Resource, wanted: Resource) -> None:
    """Raise 409 for a change to a cluster that is locked before and after it."""
    if takes_no_change(existing) and is_locked(wanted):
        raise locked_problem(existing.id)


def refuse_locked(omni: OmniClient, cluster: str) -> None:
    """Raise 409 if the cluster of this id is locked. Called before a write to an object that belongs to it."""
    found = find(omni, types.CLUSTERS, cluster)
    if found is not None and takes_no_change(found):
        raise locked_problem(cluster)
