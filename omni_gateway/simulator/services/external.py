"""Etcd backups: read from the place they are stored in, never written by a caller, and found by their cluster only."""

from __future__ import annotations

from collections.abc import Sequence

from omni_gateway.simulator import labels
from omni_gateway.simulator.errors import NotFound, Unknown
from omni_gateway.simulator.selectors import label_selector
from omni_gateway.simulator.state.store import Store

TYPE = "EtcdBackups.omni.sidero.dev"
_CLUSTER = "Clusters.omni.sidero.dev"


def check_list(store: Store, texts: Sequence[str]) -> None:
    """Refuse a list without one cluster to look for: :class:`Unknown`, and :class:`NotFound` on an unknown one."""
    try:
        terms = [term for text in texts for term in label_selector.parse(text).terms]
    except label_selector.SelectorError as error:
        raise Unknown(str(error)) from None
    if len(terms) != 1 or terms[0].key != labels.CLUSTER or terms[0].op != "in" or terms[0].negated:
        raise Unknown(f"backups are listed by one equality of the label {labels.CLUSTER}")
    if store.peek("default", _CLUSTER, terms[0].values[0]) is None:
        raise NotFound(f"there is no cluster {terms[0].values[0]!r}")


def check_id(id_: str) -> None:
    """Refuse an id that no backup can have: a cluster's, a dash, Unix seconds."""
    cluster, dash, moment = id_.rpartition("-")
    if not (cluster and dash and moment.isascii() and moment.isdigit()):
        raise Unknown(f"{id_!r} is not the id of a backup")
