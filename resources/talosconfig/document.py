"""The document ``talosconfig`` (``ManagementService.Talosconfig`` without a cluster)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, FileResponse

YAML = "application/yaml"


def talosconfig(adapter: ResourceAdapter, query: Mapping[str, Any]) -> FileResponse:
    """Return the talosconfig; it contains no secret, its user logs in to Omni."""
    return FileResponse(adapter.omni.management.talosconfig(None), YAML, "talosconfig.yaml")


TALOSCONFIG = ComputedDocument(
    "",
    role=Role.READER,
    summary="A talosconfig for all clusters",
    description="For talosctl, through Omni, with `--cluster` and `--nodes`. Without a secret: its user logs in to"
    " Omni. The identity in it is the one with which Omni is called: the gateway's, or that of a caller with a key of"
    " its own.",
    media_type=YAML,
    on_collection=True,
    cluster_independent=True,
    run=talosconfig,
)
