"""The documents of a Talos machine configuration, the types of their fields, and the fields that Omni owns.

Read once from ``data/machine_config_documents.tsv`` (each kind of document, whether several of a kind differ by name,
and the kinds that cannot stand beside it under the same name) and ``data/machine_config_fields.tsv`` (the
records' fields; the types are those of :mod:`omni_gateway.simulator.documents.strict_yaml`). Both hold Talos 1.14.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from omni_gateway.simulator.documents.strict_yaml import Records

LEGACY = "v1alpha1"
"""The name of the document without a kind, which has ``machine`` and ``cluster``, as record and as version."""


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document."""

    version: str
    named: bool
    conflicts: frozenset[str]


@cache
def document_kinds() -> Mapping[str, DocumentKind]:
    """Return every kind of document that has a ``kind``."""
    return {
        row["kind"]: DocumentKind(
            row["version"], row["named"] == "yes", frozenset(filter(None, row["conflicts"].split(",")))
        )
        for row in _rows("machine_config_documents.tsv")
        if row["kind"] != LEGACY
    }


@cache
def records() -> Records:
    """Return the fields of every record; that of a whole document has the name of its kind."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in (LEGACY, *document_kinds())}
    for row in _rows("machine_config_fields.tsv"):
        fields = found.setdefault(row["record"], {})
        if row["field"]:  # a record without fields has one line without any
            fields[row["field"]] = row["type"]
    return found


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("omni_gateway.simulator").joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


FORBIDDEN_KINDS = frozenset(
    [
        "UnattendedInstallConfig",
        "DiscoveryIdentityConfig",
        "KubeClusterConfig",
        "KubeEtcdEncryptionConfig",
        "KubeAPIServerCAConfig",
        "KubeAggregatorCAConfig",
    ]
)
FORBIDDEN_FIELDS: Mapping[str, tuple[str, ...]] = {
    LEGACY: (
        *(f"cluster.{name}" for name in ("clusterName", "id", "controlPlane.endpoint", "token", "secret", "ca")),
        *(f"cluster.{name}" for name in ("aescbcEncryptionSecret", "secretboxEncryptionSecret", "acceptedCAs")),
        "cluster.serviceAccount",
        *(f"machine.{name}" for name in ("token", "ca", "type", "install.disk", "install.extensions", "acceptedCAs")),
    ),
    "KubeServiceAccountConfig": ("issuer.privateKey",),
}
"""Per kind of document, the fields that a patch may not name, whatever their value."""
FORBIDDEN_ITEMS: Mapping[str, tuple[str, str]] = {
    LEGACY: ("machine.features.kubernetesTalosAPIAccess.allowedRoles", "os:admin"),
    "KubeTalosAPIAccessConfig": ("allowedRoles", "os:admin"),
}
"""Per kind of document, a list and the item that it may not have."""
