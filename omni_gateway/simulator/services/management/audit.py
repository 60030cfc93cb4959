"""Reading the audit log: for Auditors and Admins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from omni_gateway.simulator.errors import FailedPrecondition, InvalidArgument
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.identity.audit import AuditLog, Entry
from omni_gateway.simulator.kinds import AUDIT_HEAD, namespace_of
from omni_gateway.simulator.services.management.base import Calls, Context
from omni_gateway.simulator.services.object_changes import changes
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import management_pb2 as pb

_DEFAULT_DAYS = 29
_EVENT_TYPES = {
    pb.AUDIT_LOG_EVENT_TYPE_CREATE: "create",
    pb.AUDIT_LOG_EVENT_TYPE_UPDATE: "update",
    pb.AUDIT_LOG_EVENT_TYPE_UPDATE_WITH_CONFLICTS: "update_with_conflicts",
    pb.AUDIT_LOG_EVENT_TYPE_DESTROY: "destroy",
    pb.AUDIT_LOG_EVENT_TYPE_TEARDOWN: "teardown",
    pb.AUDIT_LOG_EVENT_TYPE_TALOS_ACCESS: "talos_access",
    pb.AUDIT_LOG_EVENT_TYPE_K8S_ACCESS: "k8s_access",
    pb.AUDIT_LOG_EVENT_TYPE_AUDIT_LOG_ACCESS: "audit_log_access",
}
_ORDERS: dict[int, Callable[[Entry], str | int]] = {
    pb.AUDIT_LOG_ORDER_BY_FIELD_UNSPECIFIED: lambda entry: entry.number,
    pb.AUDIT_LOG_ORDER_BY_FIELD_DATE: lambda entry: entry.number,
    pb.AUDIT_LOG_ORDER_BY_FIELD_EVENT_TYPE: lambda entry: entry.event_type,
    pb.AUDIT_LOG_ORDER_BY_FIELD_RESOURCE_TYPE: lambda entry: entry.resource_type,
    pb.AUDIT_LOG_ORDER_BY_FIELD_RESOURCE_ID: lambda entry: entry.resource_id,
    pb.AUDIT_LOG_ORDER_BY_FIELD_CLUSTER_ID: lambda entry: entry.cluster,
    pb.AUDIT_LOG_ORDER_BY_FIELD_ACTOR: lambda entry: entry.actor,
}
_FILTERS = ("start_time", "end_time", "search", "event_type", "resource_type", "resource_id", "cluster_id", "actor")


class AuditCalls(Calls):
    """The one call about the audit log."""

    def __init__(
        self,
        store: Store,
        advertised_url: Callable[[], str],
        kubernetes_url: Callable[[], str],
        factory_url: Callable[[], str],
        *,
        break_glass: bool = False,
    ) -> None:
        super().__init__(store, advertised_url, kubernetes_url, factory_url, break_glass=break_glass)
        self._audit = AuditLog(store)

    def ReadAuditLog(self, request: pb.ReadAuditLogRequest, context: Context) -> Iterator[pb.ReadAuditLogResponse]:
        """Stream the entries of some days, oldest first unless asked otherwise; with `follow`, those to come."""
        who = access.require_one_of("Auditor", "Admin")
        _check(request)
        entries = [] if request.follow else self._select(request)
        self._audit.note_access(who)
        if request.follow:
            yield from self._follow_audit(request, context)
            return
        yield from (pb.ReadAuditLogResponse(audit_log=entry.line() + b"\n") for entry in entries)

    def _select(self, request: pb.ReadAuditLogRequest) -> list[Entry]:
        today = datetime.now(UTC).date()
        first = _day(request.start_time, today - timedelta(days=_DEFAULT_DAYS))
        last = _day(request.end_time, today)
        begin = request.start_ts_ms or _milliseconds(first)
        end = _milliseconds(last + timedelta(days=1))
        found = [entry for entry in self._audit.entries() if begin <= entry.when < end and _matches(request, entry)]
        descending = request.order_by_dir == pb.AUDIT_LOG_ORDER_BY_DIR_DESC
        return sorted(found, key=_ORDERS[request.order_by_field], reverse=descending)

    def _follow_audit(self, request: pb.ReadAuditLogRequest, context: Context) -> Iterator[pb.ReadAuditLogResponse]:
        position = self._position(request)
        yield pb.ReadAuditLogResponse(id=position)
        for _ in changes(self._store, (namespace_of(AUDIT_HEAD), AUDIT_HEAD, "head"), context):
            for entry in self._audit.entries():
                if entry.number > position:
                    position = entry.number
                    yield pb.ReadAuditLogResponse(audit_log=entry.line() + b"\n", id=position)

    def _position(self, request: pb.ReadAuditLogRequest) -> int:
        """Return the number of the entry after which a followed log begins: `from_id` is the first one of it."""
        entries = self._audit.entries()
        newest = entries[-1].number if entries else 0
        if request.from_id > newest + 1:
            raise FailedPrecondition("the follow position no longer exists")
        if request.from_id:
            return request.from_id - 1
        if request.start_ts_ms:
            return next((entry.number - 1 for entry in entries if entry.when >= request.start_ts_ms), newest)
        return newest


def _check(request: pb.ReadAuditLogRequest) -> None:
    if request.start_ts_ms < 0 or request.from_id < 0:
        raise InvalidArgument("start_ts_ms and from_id cannot be negative")
    if request.from_id and not request.follow:
        raise InvalidArgument("from_id goes with follow only")
    if request.follow and any(getattr(request, name) for name in _FILTERS):
        raise InvalidArgument("follow takes no filters")
    if request.order_by_field not in _ORDERS:
        raise InvalidArgument("there is no such field to sort by")


def _matches(request: pb.ReadAuditLogRequest, entry: Entry) -> bool:
    wanted = (
        (_EVENT_TYPES.get(request.event_type, ""), entry.event_type),
        (request.resource_type, entry.resource_type),
        (request.resource_id, entry.resource_id),
        (request.cluster_id, entry.cluster),
        (request.actor, entry.actor),
    )
    found = request.search.lower() in entry.line().decode().lower()
    return found and all(value in ("", has) for value, has in wanted)


def _day(text: str, default: date) -> date:
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{text!r} is no date like 2026-11-23") from None


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
