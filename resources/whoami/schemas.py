"""The response of ``auth/whoami`` (``specs.CurrentUserSpec``, ``specs.PermissionsSpec``)."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire


class WhoamiPermissionsSchema(SpecSchema):
    """The permissions of this identity in Omni outside of single clusters."""

    can_read_clusters = fields.Boolean(metadata={"description": "Whether clusters can be read"})
    can_create_clusters = fields.Boolean(metadata={"description": "Whether clusters can be created"})
    can_manage_users = fields.Boolean(metadata={"description": "Whether users and service accounts can be managed"})
    can_read_machines = fields.Boolean(metadata={"description": "Whether machines can be read"})
    can_remove_machines = fields.Boolean(metadata={"description": "Whether machines can be removed from Omni"})
    can_read_machine_logs = fields.Boolean(metadata={"description": "Whether logs of machines can be read"})
    can_read_machine_config_patches = fields.Boolean(
        metadata={"description": "Whether configuration patches of machines can be read"}
    )
    can_manage_machine_config_patches = fields.Boolean(
        metadata={"description": "Whether configuration patches of machines can be written"}
    )
    can_manage_backup_store = fields.Boolean(
        metadata={"description": "Whether the store of etcd backups can be configured"}
    )
    can_access_maintenance_nodes = fields.Boolean(
        metadata={"description": "Whether the Talos API of machines in maintenance mode can be called"}
    )
    can_read_audit_log = fields.Boolean(metadata={"description": "Whether Omni's audit log can be read"})
    can_read_join_tokens = fields.Boolean(metadata={"description": "Whether join tokens can be read"})
    can_manage_join_tokens = fields.Boolean(
        metadata={"description": "Whether join tokens can be created, revoked and removed"}
    )
    can_read_installation_media = fields.Boolean(
        metadata={"description": "Whether configurations of installation media can be read"}
    )
    can_manage_installation_media = fields.Boolean(
        metadata={"description": "Whether configurations of installation media can be written"}
    )


class WhoamiTokenSchema(SpecSchema):
    """The caller, as authenticated by the request's credential."""

    name = fields.String(
        metadata={
            "description": "Name of the caller: of its token, or its identity at the OpenID Connect provider or in"
            " Omni",
            "example": "deploy-pipeline",
        }
    )
    id = fields.String(metadata={"description": "The caller's id, as in the audit", "example": "token:5f3c8a1d9b7e"})
    method = fields.String(
        metadata={
            "enum": ["token", "oidc", "omni-key", "off"],
            "description": "How the caller was authenticated; `omni-key`: calls to Omni are made as the caller itself",
            "example": "token",
        }
    )
    role = fields.String(
        metadata={
            "description": "The caller's role in the gateway",
            "example": "operator",
            "enum": ["reader", "operator", "admin", "none"],
        }
    )
    clusters = wire.ClusterPatterns(
        metadata={"description": "Patterns of the clusters in scope; null: all", "example": ["staging-*"]}
    )
    expires_at = wire.Timestamp(
        metadata={"description": "When the credential expires; null: never", "example": "2026-09-20T10:00:00Z"}
    )


class WhoamiSchema(SpecSchema):
    """The identity in Omni (of the gateway's key, or your own), and the caller of the gateway."""

    identity = fields.String(
        metadata={
            "description": "Omni's name of the identity with which it is called",
            "example": "gateway@serviceaccount.omni.sidero.dev",
        }
    )
    role = fields.String(metadata={"description": "The role of that identity in Omni", "example": "Admin"})
    user_id = fields.String(
        metadata={"description": "Omni's own id of that identity", "example": "6b1e3f52-0c5d-4a77-9d5e-2f1b7c8a9e30"}
    )
    permissions = fields.Nested(
        WhoamiPermissionsSchema,
        metadata={"description": "Permissions of that identity in Omni outside of single clusters"},
    )
    token = fields.Nested(
        WhoamiTokenSchema, metadata={"description": "The caller, as authenticated by the request's credential"}
    )
