"""The response of ``auth/whoami`` (``specs.CurrentUserSpec``, ``specs.PermissionsSpec``)."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire


class WhoamiPermissionsSchema(SpecSchema):
    """The permissions of this identity in Omni outside of single clusters."""

    can_read_clusters = fields.Boolean()
    can_create_clusters = fields.Boolean()
    can_manage_users = fields.Boolean()
    can_read_machines = fields.Boolean()
    can_remove_machines = fields.Boolean()
    can_read_machine_logs = fields.Boolean()
    can_read_machine_config_patches = fields.Boolean()
    can_manage_machine_config_patches = fields.Boolean()
    can_manage_backup_store = fields.Boolean()
    can_access_maintenance_nodes = fields.Boolean()
    can_read_audit_log = fields.Boolean()
    can_read_join_tokens = fields.Boolean()
    can_manage_join_tokens = fields.Boolean()
    can_read_installation_media = fields.Boolean()
    can_manage_installation_media = fields.Boolean()


class WhoamiTokenSchema(SpecSchema):
    """The caller, as authenticated by the request's credential."""

    name = fields.String()
    id = fields.String(metadata={"description": "The caller's id, as in the audit"})
    method = fields.String(
        metadata={
            "enum": ["token", "oidc", "omni-key", "off"],
            "description": "How the caller was authenticated; `omni-key`: calls to Omni are made as the caller itself",
        }
    )
    role = fields.String(metadata={"enum": ["reader", "operator", "admin", "none"]})
    clusters = wire.ClusterPatterns(metadata={"description": "Patterns of the clusters in scope; null: all"})
    expires_at = wire.Timestamp(metadata={"description": "When the credential expires; null: never"})


class WhoamiSchema(SpecSchema):
    """The identity in Omni (of the gateway's key, or your own), and the caller of the gateway."""

    identity = fields.String(metadata={"description": "Omni's name of the identity with which it is called"})
    role = fields.String(metadata={"description": "The role of that identity in Omni"})
    user_id = fields.String()
    permissions = fields.Nested(WhoamiPermissionsSchema)
    token = fields.Nested(WhoamiTokenSchema)
