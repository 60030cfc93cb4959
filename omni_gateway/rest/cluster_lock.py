"""The lock of a cluster: it holds every change off the cluster, its machine sets and its machines.

Omni refuses such a change with InvalidArgument, which would read as if the request were wrong; the request is fine and
the cluster's state is not, so callers get 409 and are told what to do (facts: cluster-side 2.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from omni_gateway.http.problems import Problem
from omni_gateway.model.label_names import ANNOTATION_CLUSTER_LOCKED, ANNOTATION_IMPORTING, ANNOTATION_LOCKED
from omni_gateway.model.lookup import find
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.links import object_url

#: Annotations that hold changes off, or let an import through; a write that does not name one leaves it.
LOCKS = frozenset({ANNOTATION_CLUSTER_LOCKED, ANNOTATION_LOCKED, ANNOTATION_IMPORTING})


def with_locks(wanted: Mapping[str, str | None], existing: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations to write over ``existing``: those of ``wanted``, and the locks that it does not name.

    Null takes a lock off. Called for every write over an object: a document that a template renders, or that was kept
    from before the lock, says nothing of it, and taking a lock off may start an upgrade.
    """
    kept = {key: value for key, value in existing.items() if key in LOCKS and key not in wanted}
    return {**{key: value for key, value in wanted.items() if value is not None}, **kept}


def is_locked(cluster: Resource) -> bool:
    """Whether a cluster carries the lock."""
    return ANNOTATION_CLUSTER_LOCKED in cluster.annotations


def takes_no_change(cluster: Resource) -> bool:
    """Whether the lock holds changes off; an import in progress makes its own through it."""
    return is_locked(cluster) and ANNOTATION_IMPORTING not in cluster.annotations


def locked_problem(cluster: str, reason: str = "") -> Problem:
    """Return the 409 that says how to go on; ``reason`` is Omni's own text."""
    detail = f"Cluster {cluster!r} is locked." + (f" Omni says: {reason}" if reason else "")
    return Problem(409, "conflict", detail, hint=f"POST {object_url('clusters', cluster, 'actions', 'unlock')} first.")


def refuse_locked(omni: OmniClient, cluster: str) -> None:
    """Raise 409 when the cluster of this id is locked; for changes to what belongs to it."""
    found = find(omni, types.CLUSTERS, cluster)
    if found is not None and takes_no_change(found):
        raise locked_problem(cluster)
