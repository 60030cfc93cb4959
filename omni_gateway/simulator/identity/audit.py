"""The audit log: every write by a caller, and every read of the log itself."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omni_gateway.simulator.identity.caller import ANONYMOUS, Identity, caller
from omni_gateway.simulator.kinds import AUDIT_ENTRY, AUDIT_HEAD, namespace_of
from omni_gateway.simulator.labels import CLUSTER
from omni_gateway.simulator.state.resource import Event, Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.wire.types import catalogue

MAX_ENTRIES = 5000
"""Entries kept; older ones are dropped."""

_BY_CALL = frozenset({"Users.omni.sidero.dev", "Identities.omni.sidero.dev", "PublicKeys.omni.sidero.dev"})
_HEAD = "head"


@dataclass(frozen=True)
class Entry:
    """One line of the log; `number` counts from 1 and never comes back, `when` is in milliseconds since 1970."""

    number: int
    event_type: str
    when: int
    actor: str
    resource_type: str
    resource_id: str
    cluster: str

    def line(self) -> bytes:
        """Return the entry as the JSON line that the log's reader gets."""
        data: dict[str, Any] = {"session": {"email": self.actor}}
        found: dict[str, Any] = {"event_type": self.event_type, "event_ts": self.when, "event_data": data}
        if self.resource_type:
            found |= {"resource_type": self.resource_type, "resource_id": self.resource_id}
        if self.cluster:
            data["cluster_id"] = self.cluster
        return json.dumps(found).encode()


class AuditLog:
    """The log, kept in the store. Writes of controllers have no caller and are not in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.subscribe(self._on_event)

    def entries(self) -> Sequence[Entry]:
        """Return the entries, oldest first."""
        found = self._store.view(namespace_of(AUDIT_ENTRY), AUDIT_ENTRY)
        return [Entry(int(res.id), **res.spec) for res in found]

    def note_access(self, who: Identity) -> None:
        """Add an entry for a read of the log."""
        self._add("audit_log_access", who, "", "", "")

    def _on_event(self, event: Event) -> None:
        who = caller()
        known = catalogue().get(event.new.type)
        if who is ANONYMOUS or known is None:
            return
        writable = any(known.roles[verb] is not None for verb in ("create", "update", "destroy"))
        if writable or event.new.type in _BY_CALL:
            cluster = event.new.labels.get(CLUSTER, "")
            self._add(_type_of(event), who, event.new.type, event.new.id, cluster)

    def _add(self, event_type: str, who: Identity, resource_type: str, resource_id: str, cluster: str) -> None:
        with self._store.lock:
            number = 0

            def advance(res: Resource) -> None:
                nonlocal number
                number = res.spec.get("number", 0) + 1
                res.spec["number"] = number

            self._store.modify(namespace_of(AUDIT_HEAD), AUDIT_HEAD, _HEAD, advance, create=True)
            spec = {
                "event_type": event_type,
                "when": int(time.time() * 1000),
                "actor": who.name,
                "resource_type": resource_type,
                "resource_id": resource_id,
                "cluster": cluster,
            }
            self._store.create(Resource(namespace_of(AUDIT_ENTRY), AUDIT_ENTRY, f"{number:012d}", spec))
            old = f"{number - MAX_ENTRIES:012d}"
            if self._store.peek(namespace_of(AUDIT_ENTRY), AUDIT_ENTRY, old) is not None:
                self._store.destroy(namespace_of(AUDIT_ENTRY), AUDIT_ENTRY, old)


def _type_of(event: Event) -> str:
    if event.kind == "created":
        return "create"
    if event.kind == "destroyed":
        return "destroy"
    old_phase = event.old.phase if event.old else event.new.phase
    return "teardown" if event.new.phase != old_phase else "update"
