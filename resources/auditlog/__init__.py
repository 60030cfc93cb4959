"""Omni's own audit log."""

from omni_gateway.sdk import Role
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.auditlog.stream import NDJSON, AuditLogQuery, audit_log

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="audit-log",
    description=(
        "Omni's own record of accesses and changes: JSON lines. The gateway's key needs Omni's role Auditor or Admin."
        " The gateway's own record, by its callers, is at `audit`."
    ),
    import_name=__name__,
)

plugin.computed(
    "",
    role=Role.ADMIN,
    summary="Read the audit log",
    media_type=NDJSON,
    query=AuditLogQuery,
    on_collection=True,
)(audit_log)
