"""Names, labels and annotations of the Kubernetes objects that stand for clusters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from resources.discovery.clusters import Cluster

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_WORD = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_OBJECT_NAME = re.compile(_LABEL)
_DIGEST_AT_END = re.compile(r"-[0-9a-f]{16}$")
_KEY = re.compile(rf"(?:(?P<domain>{_LABEL}(?:\.{_LABEL})*)/)?{_WORD}")
_VALUE = re.compile(rf"(?:{_WORD})?")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
#: Domains of the keys that Kubernetes and Argo CD act on.
_RESERVED = re.compile(r"(?:.*\.)?(?:argoproj\.io|kubernetes\.io|k8s\.io)")


def object_list(items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the list that ``kubectl apply -f -`` takes."""
    return {"apiVersion": "v1", "kind": "List", "items": items}


def metadata(cluster: Cluster, namespace: str, own_labels: Mapping[str, str], *, prefix: str = "") -> dict[str, Any]:
    """Return the metadata of a cluster's object: its name, and the cluster's labels and annotations.

    Left out are those that Kubernetes does not allow, and those in the domains of Kubernetes and Argo CD: whoever may
    label a cluster is not to say what Argo CD does.
    """
    labels = {key: value for key, value in cluster.labels.items() if _is_allowed(key) and _VALUE.fullmatch(value)}
    return {
        "name": f"{prefix}{object_name(cluster.name)}",
        "namespace": namespace,
        "labels": {**labels, **own_labels},
        "annotations": {key: value for key, value in cluster.annotations.items() if _is_allowed(key)},
    }


def object_name(cluster: str) -> str:
    """Return a cluster's name as Kubernetes allows it.

    Names that it does not allow end in a digest, for the objects of `a-b` and `a_b` must not be one. So do names that
    end like that already.
    """
    if _OBJECT_NAME.fullmatch(cluster) and not _DIGEST_AT_END.search(cluster):
        return cluster
    allowed = _NOT_IN_NAMES.sub("-", cluster.lower())[:40].strip("-")
    return f"{allowed}-{blake2b(cluster.encode(), digest_size=8).hexdigest()}".lstrip("-")


def _is_allowed(key: str) -> bool:
    found = _KEY.fullmatch(key)
    return found is not None and not _RESERVED.fullmatch(found["domain"] or "")
