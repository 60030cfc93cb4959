"""What ``auth/whoami`` answers (``specs.CurrentUserSpec``, ``specs.PermissionsSpec``)."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk import fields as wire


class WhoamiPermissionsSchema(SpecSchema):
    """What Omni lets this identity do outside of single clusters."""

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
    """The caller, as far as the credential that the request came with proves it."""

    name = fields.String()
    id = fields.String(metadata={"description": "As it stands in the audit"})
    method = fields.String(
        metadata={
            "enum": ["token", "oidc", "omni-key", "off"],
            "description": "How the caller came in; `omni-key`: calls to Omni are made as the caller itself",
        }
    )
    role = fields.String(metadata={"enum": ["reader", "operator", "admin", "none"]})
    clusters = wire.ClusterPatterns(metadata={"description": "Patterns of the clusters within reach; null: all"})
    expires_at = wire.Timestamp(metadata={"description": "When the credential expires; null: never"})


class WhoamiSchema(SpecSchema):
    """Who calls Omni (the gateway's key, or your own), and who calls the gateway."""

    identity = fields.String(metadata={"description": "Whom Omni takes the caller of its API for"})
    role = fields.String(metadata={"description": "The role of that identity in Omni"})
    user_id = fields.String()
    permissions = fields.Nested(WhoamiPermissionsSchema)
    token = fields.Nested(WhoamiTokenSchema)
