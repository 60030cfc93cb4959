"""When an account or a key was last used: noted at most once a minute, kept in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from omni_gateway.simulator.identity.caller import Identity
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.wire.codec import timestamp

KEY_LAST_ACTIVE = "PublicKeyLastActives.omni.sidero.dev"
IDENTITY_LAST_ACTIVE = "IdentityLastActives.omni.sidero.dev"
_INTERVAL = timedelta(minutes=1)


def last_active(store: Store, identity: str) -> datetime | None:
    """Return when an identity last called, to the minute."""
    return _read(store, IDENTITY_LAST_ACTIVE, identity, "last_active")


def last_used(store: Store, fingerprint: str) -> datetime | None:
    """Return when a key last signed a call, to the minute."""
    return _read(store, KEY_LAST_ACTIVE, fingerprint, "last_used")


def note(store: Store, who: Identity) -> bool:
    """Note a call; return whether that was news."""
    news = _write(store, IDENTITY_LAST_ACTIVE, who.name, "last_active")
    return _write(store, KEY_LAST_ACTIVE, who.fingerprint, "last_used") or news


def _read(store: Store, type_: str, id_: str, field: str) -> datetime | None:
    res = store.peek("metrics", type_, id_)
    return None if res is None else datetime.fromisoformat(res.spec[field])


def _write(store: Store, type_: str, id_: str, field: str) -> bool:
    now, before = datetime.now(UTC), _read(store, type_, id_, field)
    if before is not None and now - before < _INTERVAL:
        return False

    def change(res: Resource) -> None:
        res.spec = {field: timestamp(now)}

    store.modify("metrics", type_, id_, change, create=True)
    return True
