"""The threads of background tasks: started after the fork, ended with the worker."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field
from threading import Event, Thread

from omni_gateway.omni import OmniError
from omni_gateway.store.errors import StoreUnavailable
from omni_gateway.tasks.context import PluginContext
from omni_gateway.tasks.lease import RENEW_SECONDS, Lease, renewed
from omni_gateway.tasks.task import Task, TaskContext

log = logging.getLogger(__name__)

#: How long a stop waits for the tasks of a worker to end.
STOP_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0


@dataclass
class _Thread:
    """A task's thread in this process; ``source`` names its plugin in the log."""

    task: Task
    plugin: str
    source: str
    context: PluginContext
    stopping: Event = field(default_factory=Event)
    #: Set when a run has to end: at a stop, and when the lease is lost.
    ending: Event = field(default_factory=Event)
    thread: Thread | None = None

    def start(self) -> None:
        run = self._run if self.task.per == "worker" else self._run_with_lease
        self.thread = Thread(target=run, name=f"task-{self.plugin}-{self.task.name}", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.ending.set()

    def _run(self) -> None:
        """Call the function until it has to end."""
        ending = self.ending
        given = self.context
        context = TaskContext(given.omni, given.store, given.settings, given.tables, ending, apply=given.apply)
        pause = FIRST_PAUSE_SECONDS
        while not ending.is_set():
            try:
                self.task.run(context)
            except Exception as error:
                self._log_failure(error, pause)
                ending.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                pause = FIRST_PAUSE_SECONDS
                ending.wait(self.task.every)

    def _log_failure(self, error: Exception, pause: float) -> None:
        """Log why the task has failed: one line for what is outside and away, a traceback for any other error."""
        if isinstance(error, (StoreUnavailable, OmniError)):
            log.warning("task %r of %s failed, again in %.0f s: %s", self.task.name, self.source, pause, error)
        else:
            log.error("task %r of %s failed, again in %.0f s", self.task.name, self.source, pause, exc_info=error)

    def _run_with_lease(self) -> None:
        lease = Lease(self.context.store.leases, f"task/{self.plugin}/{self.task.name}")
        while not self.stopping.is_set():
            if lease.acquire():
                self._run_while_held(lease)
            self.stopping.wait(RENEW_SECONDS)

    def _run_while_held(self, lease: Lease) -> None:
        ending = self.ending = Event()
        if self.stopping.is_set():  # a stop that has set the event before
            lease.release()
            return
        with renewed(lease, ending, RENEW_SECONDS):
            self._run()


class Tasks:
    """The background tasks of one application's plugins; none runs before :meth:`start`."""

    def __init__(self) -> None:
        self._threads: list[_Thread] = []
        self._running_in: int | None = None
        self._stopping = False

    def add(self, task: Task, plugin: str, source: str, context: PluginContext) -> None:
        """Add a task, before :meth:`start`; ``source`` names its plugin in the log."""
        self._threads.append(_Thread(task, plugin, source, context))

    def start(self) -> None:
        """Start a thread for each task in this process, a worker; a second call does nothing."""
        if self._running_in == os.getpid():
            return
        self._running_in = os.getpid()
        for each in self._threads:
            each.start()

    def begin_stop(self) -> None:
        """Have the tasks of this process end, without waiting; may be called by a signal's handler."""
        # A handler that interrupts this method must not wait for the lock of an event that is being set.
        if self._running_in == os.getpid() and not self._stopping:
            self._stopping = True
            for each in self._threads:
                each.stop()

    def stop(self) -> None:
        """Have the tasks of this process end, and wait for them, :data:`STOP_SECONDS` at most."""
        self.begin_stop()
        until = time.monotonic() + STOP_SECONDS
        for each in self._threads if self._running_in == os.getpid() else ():
            assert each.thread is not None
            each.thread.join(max(0.0, until - time.monotonic()))
            if each.thread.is_alive():
                log.warning("task %r of %s has not ended within %.0f s", each.task.name, each.source, STOP_SECONDS)
