"""The context of plugin code that runs outside of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

from omni_gateway.omni import OmniClient
from omni_gateway.store import PluginTables, Store


class Bindable(Protocol):
    """An adapter, as far as a context binds it."""

    store: Store
    settings: Any
    tables: PluginTables

    def bind(self, omni: OmniClient) -> Self:
        """Return a copy that uses a client."""
        ...


A = TypeVar("A", bound=Bindable)


def _without_application(*_: Any, **__: Any) -> list[Any]:
    raise RuntimeError("this context was made without an application, which knows the types that are written")


@dataclass(frozen=True, slots=True)
class PluginContext:
    """A client, the store, and the plugin's settings and tables, None without any.

    ``omni`` has the gateway's own identity and reads from Omni, not from the cache. ``apply`` is ``sdk.omni.apply`` for
    code without a request: it writes as the gateway, so it asks for no role.
    """

    omni: OmniClient
    store: Store
    settings: Any
    tables: PluginTables | None
    apply: Callable[..., list[Any]] = field(default=_without_application, kw_only=True, repr=False)

    def bound(self, adapter: A) -> A:
        """Return a copy of an adapter of the plugin's with the client, the store and the settings."""
        bound = adapter.bind(self.omni)
        bound.store, bound.settings = self.store, self.settings
        if self.tables is not None:
            bound.tables = self.tables
        return bound
