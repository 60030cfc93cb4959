"""The state of the simulator: resources in memory, written through to disk; subscribers get every change in order.

A stored object is never changed in place: each write puts a new one in its stead. So objects of
:meth:`Store.view` and of events can be read at any time, by any thread, and must not be written to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from omni_gateway.simulator.errors import (
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from omni_gateway.simulator.state.bucket import Bucket
from omni_gateway.simulator.state.resource import Event, Key, Kind, Resource
from omni_gateway.simulator.state.storage import Storage

Callback = Callable[[Event], None]
_PHASES = ("running", "tearingDown")


class CommittingLock:
    """A reentrant lock; its last release commits the writes made under it."""

    def __init__(self, commit: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._commit = commit
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        try:
            if self._depth == 1:
                self._commit()
        finally:
            self._depth -= 1
            self._lock.release()


class Store:
    """All resources. Enforces existence, version, owner, finalizers and phase; rules and roles are above it.

    With a path, everything but in-memory namespaces survives a restart, a kill included: a call returns after commit.
    Writes return the stored object itself, read-only.
    The writes under one hold of :attr:`lock` are one transaction.
    """

    def __init__(self, path: str | None = None) -> None:
        self._storage = Storage(path)
        self.lock = CommittingLock(self._storage.commit)
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._callbacks: list[Callback] = []
        for res in self._storage.load():
            self._bucket(res.namespace, res.type).put(res)

    def close(self) -> None:
        """Close the database; the store is not to be written to any more."""
        with self.lock:
            self._storage.close()

    # -- reading

    def get(self, namespace: str, type: str, id: str) -> Resource:
        """Return a copy of an object; :class:`NotFound`."""
        return self._live(namespace, type, id).copy()

    def find(self, namespace: str, type: str, id: str) -> Resource | None:
        """Return a copy of an object, or None."""
        res = self.peek(namespace, type, id)
        return None if res is None else res.copy()

    def peek(self, namespace: str, type: str, id: str) -> Resource | None:
        """Return the stored object itself, read-only, or None."""
        bucket = self._buckets.get((namespace, type))
        return None if bucket is None else bucket.get(id)

    def list(self, namespace: str, type: str, where: Callable[[Resource], bool] | None = None) -> list[Resource]:
        """Return copies of the objects that pass, in the order of their ids."""
        return [res.copy() for res in self.view(namespace, type) if where is None or where(res)]

    def view(self, namespace: str, type: str) -> Sequence[Resource]:
        """Return the stored objects themselves, read-only, in the order of their ids."""
        with self.lock:
            bucket = self._buckets.get((namespace, type))
            return () if bucket is None else bucket.ordered()

    def labelled(self, namespace: str, type: str, key: str, value: str) -> Sequence[Resource]:
        """Return the stored objects with a label, one of ``bucket.INDEXED``, read-only, in the order of their ids."""
        with self.lock:
            bucket = self._buckets.get((namespace, type))
            return () if bucket is None else bucket.labelled(key, value)

    def kinds(self) -> Sequence[tuple[str, str]]:
        """Return every namespace and type that has or had an object."""
        with self.lock:
            return tuple(self._buckets)

    # -- writing

    def create(self, res: Resource, owner: str = "") -> Resource:
        """Store a new object as version 1 and return it; :class:`AlreadyExists`."""
        with self.lock:
            if self.peek(*res.key) is not None:
                raise AlreadyExists(f"{_name(res.key)} already exists")
            return self._begin(res.copy(), owner or res.owner)

    def update(self, res: Resource, owner: str = "", expected_version: int | None = None) -> Resource:
        """Replace spec, labels, annotations, finalizers and phase, and return the object.

        :class:`NotFound`, then :class:`Conflict` on another version, then :class:`PermissionDenied` on another owner.
        """
        with self.lock:
            old = self._live(*res.key)
            if expected_version is not None and expected_version != old.version:
                versions = f'expected version "{expected_version}", actual version "{old.version}"'
                raise Conflict(f"{_name(res.key)} update conflict: {versions}")
            _check_owner(old, owner)
            return self._replace(old, res.copy())

    def modify(
        self,
        namespace: str,
        type: str,
        id: str,
        fn: Callable[[Resource], None],
        owner: str = "",
        create: bool = False,
    ) -> Resource | None:
        """Change an object by ``fn``, which gets a copy, and return it; nothing is written when nothing was changed.

        Values that ``fn`` puts into it belong to the store from then on and must not be changed.

        A missing object is None, or with ``create`` made (of that owner). :class:`PermissionDenied` on another owner.
        """
        with self.lock:
            old = self.peek(namespace, type, id)
            if old is None:
                if not create:
                    return None
                fresh = Resource(namespace, type, id)
                fn(fresh)
                return self._begin(fresh, owner)
            _check_owner(old, owner)
            return self._change(old, fn)

    def teardown(self, namespace: str, type: str, id: str, owner: str = "") -> bool:
        """Mark an object for its end; return whether no finalizer holds it. Once marked, marking again does nothing."""
        with self.lock:
            old = self._live(namespace, type, id)
            _check_owner(old, owner)
            self._change(old, _mark)
            return not old.finalizers

    def destroy(self, namespace: str, type: str, id: str, owner: str = "") -> None:
        """Remove an object; :class:`NotFound`, :class:`PermissionDenied`, :class:`FailedPrecondition` if it is held."""
        with self.lock:
            old = self._live(namespace, type, id)
            _check_owner(old, owner)
            if old.finalizers:
                raise FailedPrecondition(f"{_name(old.key)} has pending finalizers [{' '.join(old.finalizers)}]")
            self._storage.delete(old.key)
            self._bucket(namespace, type).remove(id)
            self._tell(Event("destroyed", old))

    def add_finalizer(self, key: Key, name: str) -> None:
        """Add a finalizer to an object, whoever owns it; :class:`NotFound`."""

        def add(res: Resource) -> None:
            if name not in res.finalizers:
                res.finalizers.append(name)

        with self.lock:
            self._change(self._live(*key), add)

    def remove_finalizer(self, key: Key, name: str) -> None:
        """Remove a finalizer of an object, if it has it; :class:`NotFound`."""

        def remove(res: Resource) -> None:
            if name in res.finalizers:
                res.finalizers.remove(name)

        with self.lock:
            self._change(self._live(*key), remove)

    # -- following

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call back on every change, in the order of commits and under the lock; return a function that ends it."""
        with self.lock:
            self._callbacks.append(callback)

        def unsubscribe() -> None:
            with self.lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return unsubscribe

    # -- the one way in

    def _bucket(self, namespace: str, type: str) -> Bucket:
        return self._buckets.setdefault((namespace, type), Bucket())

    def _live(self, namespace: str, type: str, id: str) -> Resource:
        res = self.peek(namespace, type, id)
        if res is None:
            raise NotFound(f"{_name((namespace, type, id))} doesn't exist")
        return res

    def _begin(self, new: Resource, owner: str) -> Resource:
        new.version, new.owner, new.created, new.updated = 1, owner, _now(), None
        self._put("created", new, None)
        return new

    def _change(self, old: Resource, fn: Callable[[Resource], None]) -> Resource:
        new = old.copy()
        fn(new)
        return old if new == old else self._replace(old, new)

    def _replace(self, old: Resource, new: Resource) -> Resource:
        if new.phase not in _PHASES:
            raise InvalidArgument(f"{new.phase!r} is no phase")
        new.version, new.owner, new.created, new.updated = old.version + 1, old.owner, old.created, _now()
        self._put("updated", new, old)
        return new

    def _put(self, kind: Kind, new: Resource, old: Resource | None) -> None:
        self._storage.put(new)
        self._bucket(new.namespace, new.type).put(new)
        self._tell(Event(kind, new, old))

    def _tell(self, event: Event) -> None:
        for callback in tuple(self._callbacks):
            callback(event)


def _mark(res: Resource) -> None:
    res.phase = "tearingDown"


def _check_owner(res: Resource, owner: str) -> None:
    if res.owner != owner:
        raise PermissionDenied(f'{_name(res.key)} is owned by "{res.owner}"')


def _name(key: Key) -> str:
    namespace, type_, id_ = key
    return f"resource {type_}({namespace}/{id_})"


def _now() -> datetime:
    return datetime.now(UTC)
