"""A controller's interface to the store: find, list, write, tear down and destroy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from omni_gateway.simulator.errors import NotFound
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.bucket import INDEXED
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

Spec = dict[str, Any]
KeyMap = Callable[[Store, Resource], Iterable[str]]
"""Names the keys to reconcile after a change of a resource; runs under the store's lock, so it must be quick."""


def by_id(_: Store, res: Resource) -> Iterable[str]:
    """Map a resource to its own id."""
    return (res.id,)


def by_label(key: str) -> KeyMap:
    """Map a resource to the value of one of its labels."""

    def keys(_: Store, res: Resource) -> Iterable[str]:
        value = res.labels.get(key, "")
        return (value,) if value else ()

    return keys


def always(key: str) -> KeyMap:
    """Map every resource to one fixed key: for controllers of a singleton."""
    return lambda _store, _res: (key,)


class Context:
    """One reconcile's view of the store, writing in its controller's name.

    Durations are in lifecycle seconds, the seconds of a machine's life; `speed` of them pass in a real one.
    """

    def __init__(self, store: Store, owner: str, speed: float = 1.0) -> None:
        self.store = store
        self.owner = owner
        self.speed = speed
        self.requeue_after: float | None = None

    def find(self, kind: str, id_: str) -> Resource | None:
        """Return a stored resource, read-only, or None."""
        return self.store.peek(namespace_of(kind), kind, id_)

    def running(self, kind: str, id_: str) -> Resource | None:
        """Return a stored resource, read-only, if it is not being torn down."""
        res = self.find(kind, id_)
        return res if res is not None and res.phase == "running" else None

    def all(self, kind: str, **labels: str) -> list[Resource]:
        """List the stored resources, read-only, with the labels (`cluster`, `machine_set`, … without the prefix)."""
        wanted = {"omni.sidero.dev/" + key.replace("_", "-"): value for key, value in labels.items()}
        indexed = next((key for key in reversed(INDEXED) if key in wanted), None)
        if indexed is None:
            found = self.store.view(namespace_of(kind), kind)
        else:
            found = self.store.labelled(namespace_of(kind), kind, indexed, wanted[indexed])
        return [res for res in found if wanted.items() <= res.labels.items()]

    def write(
        self,
        kind: str,
        id_: str,
        spec: Spec,
        labels: Mapping[str, str] | None = None,
        *,
        annotations: Mapping[str, str] | None = None,
        finalizers: Iterable[str] = (),
    ) -> None:
        """Write a resource of this controller, whole; its version rises only when something changed."""
        said = (self.owner, spec, dict(labels or {}), dict(annotations or {}))
        held = tuple(finalizers)
        old = self.find(kind, id_)
        same = old is not None and (old.owner, old.spec, old.labels, old.annotations) == said
        if old is not None and same and set(held) <= set(old.finalizers):
            return  # as most of the time; no copy is needed to see that

        def fill(res: Resource) -> None:
            _, res.spec, res.labels, res.annotations = said
            for name in held:
                if name not in res.finalizers:
                    res.finalizers.append(name)

        self.store.modify(namespace_of(kind), kind, id_, fill, owner=self.owner, create=True)

    def patch(self, kind: str, id_: str, change: Callable[[Resource], None]) -> None:
        """Change an existing resource of this controller's in place; a missing one stays missing."""
        self.store.modify(namespace_of(kind), kind, id_, change, owner=self.owner)

    def destroy(self, kind: str, id_: str, *, owner: str | None = None) -> None:
        """Remove an owned resource, finalizers and all; a missing one is fine, and one of another owner stays."""
        namespace, by = namespace_of(kind), self.owner if owner is None else owner
        # In one step: what is found is what is removed, not an object that a caller creates under its id meanwhile.
        with self.store.lock:
            res = self.find(kind, id_)
            if res is None or res.owner != by:
                return
            self.store.teardown(namespace, kind, id_, owner=by)
            for name in tuple(res.finalizers):
                self.store.remove_finalizer(res.key, name)
            self.store.destroy(namespace, kind, id_, owner=by)

    def teardown(self, res: Resource) -> None:
        """Tear a resource down, whoever owns it; its finalizers still delay its removal."""
        if res.phase == "running":
            try:
                self.store.teardown(*res.key, owner=res.owner)
            except NotFound:
                return

    def release(self, res: Resource, *finalizers: str) -> None:
        """Take finalizers off a resource; a missing resource is fine."""
        for name in finalizers:
            if name in res.finalizers:
                try:
                    self.store.remove_finalizer(res.key, name)
                except NotFound:
                    return

    def after(self, seconds: float) -> None:
        """Reconcile this key again after so many lifecycle seconds, at the latest."""
        real = max(seconds, 0.0) / self.speed
        self.requeue_after = real if self.requeue_after is None else min(self.requeue_after, real)

    def passed(self, since: datetime | None, seconds: float) -> bool:
        """Return whether so many lifecycle seconds have passed since a moment; if not, reconcile again by then."""
        if since is None:
            return False
        left = seconds - (datetime.now(UTC) - since).total_seconds() * self.speed
        if left <= 0:
            return True
        self.after(left)
        return False


class Controller:
    """A level-triggered loop: `reconcile` compares the current state with the wanted one and moves it one step."""

    name: ClassVar[str]
    inputs: ClassVar[Mapping[str, KeyMap]]

    def reconcile(self, ctx: Context, key: str) -> None:
        """Reconcile the resources of the key; called after any change of an input, and at any other time."""
        raise NotImplementedError
