"""Omni's audit log: who did what."""

from omni_gateway.sdk import CallAdapter, Role, ServicePlugin
from resources.auditlog.stream import NDJSON, AuditLogQuery, audit_log

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="audit-log",
    description=(
        "Who did what in Omni, as Omni recorded it: JSON lines. The gateway's key needs Omni's role Auditor or Admin."
        " Whom this gateway let do what, by its own callers, is at `audit`."
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
