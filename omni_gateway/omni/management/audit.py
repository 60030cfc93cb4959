"""Omni's audit log, for auditors and admins."""

from __future__ import annotations

from dataclasses import dataclass

from omni_gateway.omni import rpcs
from omni_gateway.omni.management.group import CallGroup
from omni_gateway.omni.streams import Stream
from omni_gateway.stubs import management_pb2 as pb


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of JSON; ``id`` is 0 unless the log is followed.

    A followed log begins with a record without a line: its ``id`` is that of the record before the first one.
    """

    line: bytes
    id: int


class AuditCalls(CallGroup):
    """Read who did what."""

    def read_audit_log(
        self,
        *,
        start: str = "",
        end: str = "",
        order_by: str = "UNSPECIFIED",
        descending: bool = False,
        search: str = "",
        event_type: str = "UNSPECIFIED",
        resource_type: str = "",
        resource_id: str = "",
        cluster: str = "",
        actor: str = "",
        follow: bool = False,
        start_ms: int = 0,
        from_id: int = 0,
        timeout: float | None = None,
    ) -> Stream[AuditRecord]:
        """Stream the records from ``start`` to ``end`` (YYYY-MM-DD, both included; the last 29 days if not given).

        ``order_by``: DATE, EVENT_TYPE, RESOURCE_TYPE, RESOURCE_ID, CLUSTER_ID, ACTOR. ``event_type``: CREATE, UPDATE,
        UPDATE_WITH_CONFLICTS, DESTROY, TEARDOWN, TALOS_ACCESS, K8S_ACCESS, AUDIT_LOG_ACCESS. ``start_ms`` (Unix
        milliseconds) goes before ``start``. ``follow`` goes on with new records, beginning with those since
        ``start_ms``, or with the record ``from_id``, and takes no filter. ``FailedPrecondition`` for a ``from_id``
        that is beyond the next record. An Omni that cannot follow sends no record without a line first.
        """

        def build() -> pb.ReadAuditLogRequest:
            request = pb.ReadAuditLogRequest(
                start_time=start,
                end_time=end,
                order_by_field=pb.AuditLogOrderByField.Value(f"AUDIT_LOG_ORDER_BY_FIELD_{order_by}"),
                search=search,
                event_type=pb.AuditLogEventType.Value(f"AUDIT_LOG_EVENT_TYPE_{event_type}"),
                resource_type=resource_type,
                resource_id=resource_id,
                cluster_id=cluster,
                actor=actor,
                follow=follow,
                start_ts_ms=start_ms,
                from_id=from_id,
            )
            if descending:
                request.order_by_dir = pb.AUDIT_LOG_ORDER_BY_DIR_DESC
            return request

        return self._calls.stream(rpcs.READ_AUDIT_LOG, build, _records, timeout=timeout)


def _records(message: pb.ReadAuditLogResponse) -> tuple[AuditRecord, ...]:
    return (AuditRecord(message.audit_log.rstrip(b"\n"), message.id),)
