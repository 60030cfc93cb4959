"""Users of the earlier gateway of this kind find every field name that they had, where Omni still has the datum.

``data/peer_fields.tsv`` lists the names of its bodies; ``data/peer_fields_gone.tsv`` those that are no more, and why.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

DATA = Path(__file__).parent / "data"
#: Body of the earlier gateway → schema of ours, where the name differs.
NAMES = {
    "ClusterActionRequest": "KubernetesUpgradeAction",
    "ClusterBootstrapResponse": "ClusterBootstrap",
    "ClusterCreateRequest": "Cluster",
    "ClusterDiagnosticsResponse": "ClusterDiagnostics",
    "ClusterKubernetesNodeResponse": "KubernetesNode",
    "ClusterUpdateRequest": "Cluster",
    "ConfigPatchCreateRequest": "ConfigPatch",
    "ConfigPatchUpdateRequest": "ConfigPatch",
    "CreateOIDCProviderRequest": "OIDCProvider",
    "CreateServiceAccountRequest": "ServiceAccount",
    "EtcdBackupCreateRequest": "EtcdBackup",
    "MachineExtensionsResponse": "MachineExtensionsStatus",
    "MachineLabelsResponse": "LabelsOfMachine",
    "MachineSetCreateRequest": "MachineSet",
    "MachineSetUpdateRequest": "MachineSet",
    "MachineStatusMetricsResponse": "FleetMachineMetrics",
    "MachineUpdateRequest": "Machine",
    "UpdateOIDCProviderRequest": "OIDCProvider",
}
KINDS = {"string": "string", "bool": "boolean", "int": "integer", "float": "number"}


def table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open() as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


THEIRS = {(row["body"], row["field"]): row["type"] for row in table("peer_fields.tsv")}
GONE = {(row["body"], row["field"]): row["reason"] for row in table("peer_fields_gone.tsv")}


@pytest.fixture(scope="module")
def schemas(app: Flask) -> dict[str, Any]:
    """The document's schemas, and what /health answers, which is not in it."""
    client = app.test_client()
    health = json.loads(client.get("/health").data)
    found = json.loads(client.get("/openapi.json").data)["components"]["schemas"]
    return {**found, "Health": {"properties": {name: {} for name in health}}}


def ours(schemas: dict[str, Any], body: str) -> dict[str, Any]:
    schema = schemas.get(NAMES.get(body, body.removesuffix("Response")), {})
    return dict(schema.get("properties", {}))


def test_every_name_is_in_our_answers_or_is_gone_for_a_reason(schemas: dict[str, Any]) -> None:
    missing = [key for key in THEIRS if key not in GONE and key[1] not in ours(schemas, key[0])]
    assert missing == []


def test_what_is_said_to_be_gone_is_gone_and_has_a_reason(schemas: dict[str, Any]) -> None:
    stale = [key for key in GONE if key not in THEIRS or key[1] in ours(schemas, key[0])]
    assert stale == []
    assert [key for key, reason in GONE.items() if len(reason) < 15] == []


def test_a_name_that_stayed_has_the_kind_of_value_that_it_had(schemas: dict[str, Any]) -> None:
    other = {}
    for (body, field), kind in THEIRS.items():
        found = ours(schemas, body).get(field, {})
        kinds = found.get("type", [])
        wanted = (
            "array" if kind.startswith("[]") else "object" if kind.startswith("map[") else KINDS.get(kind.strip("*"))
        )
        if (
            wanted
            and kinds
            and wanted not in ([kinds] if isinstance(kinds, str) else kinds)
            and (body, field) not in GONE
        ):
            other[body, field] = (kind, kinds)
    assert other == {}
