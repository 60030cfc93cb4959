"""The context of a rule, and the rules of one type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from omni_gateway.simulator.identity.caller import Identity
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store


@dataclass(frozen=True)
class RuleContext:
    """The state that a rule may look at, read-only, and who asks."""

    store: Store
    caller: Identity

    def find(self, type_: str, id_: str, namespace: str = "default") -> Resource | None:
        """Return an object as stored, or None."""
        return self.store.peek(namespace, type_, id_)

    def all(self, type_: str, namespace: str = "default") -> Sequence[Resource]:
        """Return every object of a type as stored."""
        return self.store.view(namespace, type_)


Create = Callable[[RuleContext, Resource], Iterable[str]]
Update = Callable[[RuleContext, Resource, Resource], Iterable[str]]
Destroy = Callable[[RuleContext, Resource], Iterable[str]]


@dataclass(frozen=True)
class Rules:
    """A type's rules: each yields its problems in words, none at all when the write may go on."""

    type: str
    create: Create | None = None
    update: Update | None = None
    destroy: Destroy | None = None
