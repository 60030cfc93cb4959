"""The first account: an Admin whose key is written to a file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from omni_gateway.simulator.errors import SimError
from omni_gateway.simulator.identity import accounts
from omni_gateway.simulator.identity.caller import SERVICE_ACCOUNT_SUFFIX
from omni_gateway.simulator.identity.keys import generate, public_half, read_public_key
from omni_gateway.simulator.state.store import Store

NAME = "automation"
_LEFT = timedelta(days=7)


def ensure_admin(store: Store, key_file: Path | None = None) -> str:
    """Return the key value of an Admin account: the file's as long as it is good, else a new one, written there."""
    kept = _kept(key_file)
    if kept is not None and _usable(store, kept):
        return kept
    pair = generate(NAME, NAME + SERVICE_ACCOUNT_SUFFIX)
    _register(store, pair.public)
    if key_file is not None:
        _write(key_file, pair.encoded)
    return pair.encoded


def _kept(key_file: Path | None) -> str | None:
    if key_file is None or not key_file.exists():
        return None
    return key_file.read_text(encoding="ascii", errors="replace").strip()


def _usable(store: Store, encoded: str) -> bool:
    """Return whether a key can be used; one that this store does not know yet is registered."""
    try:
        _, armored = public_half(encoded)
        key = read_public_key(armored)
        if key.expires - datetime.now(UTC) < _LEFT:
            return False
        if store.peek("default", accounts.PUBLIC_KEY, key.fingerprint) is None:
            _register(store, armored)
    except (ValueError, SimError):
        return False
    return True


def _register(store: Store, armored: str) -> None:
    if store.peek("default", accounts.IDENTITY, accounts.full_id(NAME)) is None:
        accounts.create_service_account(store, NAME, "Admin", armored)
    else:
        accounts.renew_service_account(store, NAME, armored)


def _write(key_file: Path, encoded: str) -> None:
    """Write a secret atomically, with mode 0600 from the start."""
    key_file.parent.mkdir(parents=True, exist_ok=True)
    draft = key_file.with_name(key_file.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(encoded + "\n")
    draft.replace(key_file)
