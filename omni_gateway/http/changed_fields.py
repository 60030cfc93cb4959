"""Names of the fields that a request's body sets, and types and ids of its documents, for the audit log; no values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from flask import has_request_context, request

from omni_gateway.redaction.credentials import MASK, looks_secret, shown

MOST_NAMES = 50
#: Characters of all names together: a whole line stays below 4 KiB.
MOST_TEXT = 1200
LONGEST_NAME = 100
LONGEST_ID = 300
CLUSTER_LABEL = "omni.sidero.dev/cluster"
MORE = "…"
_DEEPEST = 6
_NAME = re.compile(r"[A-Za-z0-9_./:@-]{1,100}")
_TYPE = re.compile(r"[A-Za-z]{1,80}(\.[a-z.]{1,40})?")
_FIELDS = "omni_gateway.audit.fields"
_DOCUMENTS = "omni_gateway.audit.documents"
_DOCUMENT_KEYS = "omni_gateway.audit.document_keys"
_CREDENTIAL = "omni_gateway.audit.credential"
_CLUSTER = "omni_gateway.audit.cluster"


def note_body(environ: dict[str, Any], body: Any) -> None:
    """Record the field names of a JSON body in the request's environ; of its values only the cluster label's."""
    if not isinstance(body, Mapping):
        return
    environ[_FIELDS] = changed_fields(body)
    labels = body.get("labels")
    if isinstance(labels, Mapping) and isinstance(cluster := labels.get(CLUSTER_LABEL), str):
        set_cluster(environ, cluster)


def note_documents(environ: dict[str, Any], documents: Iterable[tuple[str, str]]) -> None:
    """Record the objects of a body of many documents: (type, id) of each; a further call adds to them."""
    known = environ.setdefault(_DOCUMENT_KEYS, {})
    known |= dict.fromkeys(documents)
    environ[_DOCUMENTS] = _bounded_documents(known)
    environ.pop(_FIELDS, None)


def note_cluster(cluster: str) -> None:
    """Record the cluster that the current request concerns: the audit log names it. Does nothing outside of one."""
    if has_request_context():
        set_cluster(request.environ, cluster)


def set_cluster(environ: dict[str, Any], cluster: str) -> None:
    """Record the cluster that a request concerns."""
    environ[_CLUSTER] = shown(cluster, LONGEST_ID)


def note_credential(environ: dict[str, Any]) -> None:
    """Record that the response contains a credential, which is audited whatever the method."""
    environ[_CREDENTIAL] = True


def hands_out_credential(environ: Mapping[str, Any]) -> bool:
    """Return whether the response contains a credential."""
    return bool(environ.get(_CREDENTIAL))


def noted(environ: Mapping[str, Any]) -> tuple[list[str], list[dict[str, str]], str]:
    """Return the recorded field names, documents and cluster; empty ones where nothing was recorded."""
    return environ.get(_FIELDS, []), environ.get(_DOCUMENTS, []), cast(str, environ.get(_CLUSTER, ""))


def changed_fields(body: Mapping[str, Any]) -> list[str]:
    """Return the dotted names of an object's members, nested objects included; a list counts as one member.

    A key that is too long, has other characters than names have, or looks like a secret is replaced by ``***``: in
    maps such as labels the keys are the caller's own text. At most ``MOST_NAMES``; ``…`` at the end stands for more.
    """
    names: list[str] = []
    remaining = MOST_TEXT
    for name in _names(body, "", 1):
        remaining -= len(name)
        if len(names) == MOST_NAMES or remaining < 0:
            return [*names, MORE]
        if name not in names:
            names.append(name)
    return names


def _names(body: Mapping[str, Any], prefix: str, depth: int) -> Iterator[str]:
    for key, value in body.items():
        name = prefix + (key if _NAME.fullmatch(key) and not looks_secret(key) else MASK)
        if isinstance(value, Mapping) and value and depth < _DEEPEST and len(name) < LONGEST_NAME:
            yield from _names(value, f"{name}.", depth + 1)
        else:
            yield name


def _bounded_documents(documents: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    remaining = MOST_TEXT
    for type, id in documents:
        entry = {"type": type if _TYPE.fullmatch(type) else MASK, "id": object_id(type, id)}
        remaining -= len(entry["type"]) + len(entry["id"])
        if len(found) == MOST_NAMES or remaining < 0:
            return [*found, {"type": MORE, "id": MORE}]
        found.append(entry)
    return found


def object_id(type: str, id: str) -> str:
    """Return an object's id as it may be logged; a join token's id is the token itself, so it is masked."""
    return MASK if type.lower().startswith("jointoken") else shown(id, LONGEST_ID)
