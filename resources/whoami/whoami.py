"""The document ``auth/whoami``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from omni_gateway.sdk import OmniClient, ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument, current_principal
from omni_gateway.sdk.omni import types
from resources.whoami.schemas import WhoamiPermissionsSchema, WhoamiSchema

_PERMISSIONS = tuple(WhoamiPermissionsSchema().fields)


def whoami(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the identity and permissions with which Omni is called, and the authenticated caller; 2 calls."""
    caller = current_principal()
    user = _only(adapter.omni, types.CURRENT_USERS)
    permissions = _only(adapter.omni, types.PERMISSIONS)
    return {
        "identity": user.get("identity", ""),
        "role": user.get("role", ""),
        "user_id": user.get("user_id", ""),
        "permissions": {name: bool(permissions.get(name)) for name in _PERMISSIONS},
        "token": {
            "name": caller.name,
            "id": caller.id,
            "method": caller.method,
            "role": caller.role_name,
            "clusters": None if caller.scope.patterns is None else list(caller.scope.patterns),
            "expires_at": caller.expires.astimezone(UTC).isoformat().replace("+00:00", "Z") if caller.expires else None,
        },
    }


def _only(omni: OmniClient, type: types.OmniType) -> Mapping[str, Any]:
    """Return the spec of the only object of a type, which Omni computes for each caller."""
    items = omni.resources.list(type).items
    return items[0].get("spec") or {} if items else {}


WHOAMI = ComputedDocument(
    "",
    role=Role.READER,
    summary="Identities in Omni and in the gateway",
    description="Calls to Omni are made with the gateway's own key, or with the caller's where it sends one; `token` is"
    " the caller as the gateway authenticated it.",
    answers=WhoamiSchema,
    on_collection=True,
    cluster_independent=True,
    run=whoami,
)
