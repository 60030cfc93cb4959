"""The document ``omniconfig`` (``ManagementService.Omniconfig``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, FileResponse

YAML = "application/yaml"


def omniconfig(adapter: ResourceAdapter, query: Mapping[str, Any]) -> FileResponse:
    """Return the omniconfig; it contains no secret, its user logs in to Omni."""
    return FileResponse(adapter.omni.management.omniconfig(), YAML, "omniconfig.yaml")


OMNICONFIG = ComputedDocument(
    "",
    role=Role.READER,
    summary="A configuration of omnictl",
    description="Omni's URL and an identity, for `omnictl config merge`. Without a secret: its user logs in to"
    " Omni. The identity in it is the one with which Omni is called: the gateway's, or that of a caller with a key of"
    " its own.",
    media_type=YAML,
    on_collection=True,
    cluster_independent=True,
    run=omniconfig,
)
