"""The declaration of a background task, and the argument of its function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Literal

from omni_gateway.tasks.context import PluginContext


@dataclass(frozen=True, slots=True)
class TaskContext(PluginContext):
    """The argument of a task's function."""

    _ending: Event

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
