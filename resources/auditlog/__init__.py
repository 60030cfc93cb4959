"""Omni's own audit log."""

from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.adapters import CallAdapter
from resources.auditlog.stream import AUDIT_LOG

plugin = ServicePlugin(
    adapter=CallAdapter(),
    name="audit-log",
    group="Identity and access",
    tag_title="Omni's audit log",
    documents=[AUDIT_LOG],
    description="Omni's own record of accesses and changes: JSON lines. The gateway's key needs Omni's role"
    " Auditor or Admin. The gateway's own record, by its callers, is at `audit`.",
    import_name=__name__,
)
