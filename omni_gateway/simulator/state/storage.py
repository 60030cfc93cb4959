"""Where resources outlive the process: one SQLite table, written through."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from omni_gateway.simulator.state.resource import Key, Resource

_FIELDS = ("spec", "labels", "annotations", "version", "owner", "phase", "finalizers", "created", "updated")
IN_MEMORY = frozenset({"ephemeral", "infra-provider-ephemeral", "metrics", "virtual"})
"""Namespaces that Omni keeps in memory only: their objects are gone after a restart."""

_PUT = "INSERT INTO resources VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
_DELETE = "DELETE FROM resources WHERE namespace = ? AND type = ? AND id = ?"


class Storage:
    """The rows of one database file; ``None`` keeps nothing.

    Writes are collected, and committed together by :meth:`commit`. WAL with synchronous=NORMAL: a transaction that was
    committed survives the process, however it ends; a machine that loses power loses at most the last moments. Not
    thread-safe: the store's lock is around every call.
    """

    def __init__(self, path: str | None) -> None:
        if path is not None:
            _make_private(path)
        self._db = None if path is None else sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._pending: dict[Key, Resource | None] = {}
        if self._db is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS resources"
                " (namespace TEXT, type TEXT, id TEXT, body BLOB, PRIMARY KEY (namespace, type, id)) WITHOUT ROWID"
            )

    def load(self) -> Iterator[Resource]:
        """Yield everything that was kept."""
        if self._db is None:
            return
        texts: dict[str, str] = {}
        for namespace, type_, id_, body in self._db.execute("SELECT namespace, type, id, body FROM resources"):
            namespace, type_, id_ = (texts.setdefault(text, text) for text in (namespace, type_, id_))
            res = Resource(namespace, type_, id_, **orjson.loads(body))
            res.spec, res.labels = _shared(res.spec, texts), _shared(res.labels, texts)
            res.created, res.updated = _moment(res.created), _moment(res.updated)
            yield res

    def put(self, res: Resource) -> None:
        """Keep a resource, which changes no more, from the next commit on."""
        if self._db is not None and res.namespace not in IN_MEMORY:
            self._pending[res.key] = res

    def delete(self, key: Key) -> None:
        """Forget a resource from the next commit on."""
        if self._db is not None and key[0] not in IN_MEMORY:
            self._pending[key] = None

    def commit(self) -> None:
        """Commit the collected writes; after a failure they are kept for the next commit."""
        if self._db is None or not self._pending:
            return
        # In the order of the keys many are written several times as fast.
        kept = sorted(key for key, res in self._pending.items() if res is not None)
        gone = [key for key, res in self._pending.items() if res is None]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_PUT, ((*key, _body(self._pending[key])) for key in kept))
            self._db.executemany(_DELETE, gone)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._pending.clear()

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _make_private(path: str) -> None:
    """Make the file for its owner alone, and close one that an older release left open; SQLite's others follow it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(path + suffix).chmod(0o600)


def _body(res: Resource | None) -> bytes:
    return orjson.dumps({name: getattr(res, name) for name in _FIELDS})


def _shared(value: Any, texts: dict[str, str]) -> Any:
    """Intern equal texts: the objects of a fleet repeat them."""
    if type(value) is str:
        return texts.setdefault(value, value)
    if type(value) is dict:
        for key, item in value.items():
            value[key] = _shared(item, texts)
    elif type(value) is list:
        value[:] = [_shared(item, texts) for item in value]
    return value


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
