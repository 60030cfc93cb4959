"""What a machine that boots without an image of this Omni's needs to join with a token.

Both documents contain the token, so a GET of them is audited and no cache keeps the response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma
from marshmallow import fields

from omni_gateway.sdk import Role
from omni_gateway.sdk.actions import ComputedDocument, FileResponse
from resources.jointoken.adapter import JoinTokenAdapter


class JoinQuery(ma.Schema):
    """How the machine reaches Omni."""

    grpc_tunnel = fields.Boolean(
        load_default=False,
        metadata={"description": "Connect through a gRPC tunnel, where the network lets no WireGuard pass"},
    )


def machine_config(adapter: JoinTokenAdapter, id: str, query: Mapping[str, Any]) -> FileResponse:
    """Return the documents of a Talos machine configuration that make a machine join."""
    config, _ = _join_config(adapter, id, query)
    return FileResponse(config.encode(), "application/yaml", "machine-config.yaml", credential=True)


def kernel_args(adapter: JoinTokenAdapter, id: str, query: Mapping[str, Any]) -> FileResponse:
    """Return the kernel arguments that make a machine join, one on each line."""
    _, arguments = _join_config(adapter, id, query)
    lines = "".join(f"{argument}\n" for argument in arguments)
    return FileResponse(lines.encode(), "text/plain", "kernel-args.txt", credential=True)


def _join_config(adapter: JoinTokenAdapter, id: str, query: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    """Return the machine configuration and the kernel arguments that make a machine join with a token."""
    token = adapter.secret(id).id
    found = adapter.omni.management.machine_join_config(use_grpc_tunnel=query["grpc_tunnel"], join_token=token)
    return found.config, found.kernel_args


MACHINE_CONFIG = ComputedDocument(
    "machine-config",
    role=Role.ADMIN,
    summary="The machine configuration that makes a machine join with the token",
    media_type="application/yaml",
    query=JoinQuery,
    description="Documents to add to a Talos machine configuration. They contain the token.",
    run=machine_config,
)
KERNEL_ARGS = ComputedDocument(
    "kernel-args",
    role=Role.ADMIN,
    summary="The kernel arguments that make a machine join with the token",
    media_type="text/plain",
    query=JoinQuery,
    description="One on each line, for an image or a boot loader of one's own. They contain the token.",
    run=kernel_args,
)
