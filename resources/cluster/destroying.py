"""Removing a cluster as an action: what DELETE does, with an operation as its answer in every case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import Operation, WouldDo
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.operations import read_destroy


def destroy(adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | WouldDo:
    """Tear a cluster down; one that is going already is left to go on. 409 when it is locked."""
    cluster = adapter.get(id)
    if dry_run:
        adapter.check_delete(cluster)
        return WouldDo(cluster, None)
    if not cluster.tearing_down:
        adapter.delete(cluster)
    return read_destroy(adapter.omni, id)
