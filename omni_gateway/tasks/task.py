"""The declaration of a background task, and what its function is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any, Literal, Protocol, Self, TypeVar

from omni_gateway.omni import OmniClient
from omni_gateway.store import Store


class Bindable(Protocol):
    """An adapter, as far as a task binds it."""

    store: Store
    settings: Any

    def bind(self, omni: OmniClient) -> Self:
        """Return a copy that uses a client."""
        ...


A = TypeVar("A", bound=Bindable)


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a task's function is given.

    ``omni`` is a client with the gateway's own identity, which reads from Omni, not from the cache; ``store`` the
    gateway's database; ``settings`` those of the plugin.
    """

    omni: OmniClient
    store: Store
    settings: Any
    _ending: Event

    def bound(self, adapter: A) -> A:
        """Return a copy of an adapter of the plugin's with the client, the store and the settings."""
        bound = adapter.bind(self.omni)
        bound.store, bound.settings = self.store, self.settings
        return bound

    @property
    def stopping(self) -> bool:
        """Return whether the function has to return: its worker stops, or another process runs the task now."""
        return self._ending.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for some time, less where the function has to return; return :attr:`stopping`."""
        return self._ending.wait(seconds)


@dataclass(frozen=True, slots=True)
class Task:
    """A function that is called again and again in the background.

    It is called in a thread of its own, after the workers are forked; the first time at once, then ``every`` seconds
    after it has returned. A function that goes on for longer uses :meth:`TaskContext.wait` for its pauses and returns
    when that returns True: at a stop of the worker its end is waited for, for a bounded time. An exception is logged,
    and the function called again after a growing pause.

    :param name: its name, unique among those of its plugin.
    :param run: the function.
    :param per: ``worker``: each worker process runs it; ``deployment``: one of all workers and replicas does, by a
        lease in the store. Where that process is lost, another one begins within half a minute.
    :param every: seconds between two calls.
    """

    name: str
    run: Callable[[TaskContext], None]
    per: Literal["worker", "deployment"] = "worker"
    every: float = 60.0
