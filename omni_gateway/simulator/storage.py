"""Where resources outlive the process: one SQLite table, written through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import orjson

from .resource import Key, Resource

_FIELDS = ("spec", "labels", "annotations", "version", "owner", "phase", "finalizers", "created", "updated")
IN_MEMORY = frozenset({"ephemeral", "infra-provider-ephemeral", "metrics", "virtual"})
"""Namespaces that Omni keeps in memory only: what is in them is gone after a restart."""


class Storage:
    """The rows of one database file; ``None`` keeps nothing. Every write is committed when the call returns.

    WAL with synchronous=NORMAL: a process that is killed loses nothing, a machine that loses power at most the last
    moments. Not thread-safe: the store's lock is around every call.
    """

    def __init__(self, path: str | None) -> None:
        self._db = None if path is None else sqlite3.connect(path, check_same_thread=False, isolation_level=None)
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
        for namespace, type_, id_, body in self._db.execute("SELECT namespace, type, id, body FROM resources"):
            res = Resource(namespace, type_, id_, **orjson.loads(body))
            yield replace(res, created=_moment(res.created), updated=_moment(res.updated))

    def put(self, res: Resource) -> None:
        """Keep a resource as it is now."""
        if self._db is not None and res.namespace not in IN_MEMORY:
            body = orjson.dumps({name: getattr(res, name) for name in _FIELDS})
            self._db.execute("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?)", (*res.key, body))

    def delete(self, key: Key) -> None:
        """Forget a resource."""
        if self._db is not None and key[0] not in IN_MEMORY:
            self._db.execute("DELETE FROM resources WHERE namespace = ? AND type = ? AND id = ?", key)

    def begin(self) -> None:
        """Hold commits back until :meth:`commit`."""
        if self._db is not None:
            self._db.execute("BEGIN")

    def commit(self) -> None:
        """Commit what was held back."""
        if self._db is not None:
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
