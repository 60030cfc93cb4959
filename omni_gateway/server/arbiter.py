"""gunicorn's master process, which notifies a service manager of the state of the service: ``sd_notify(3)``.

gunicorn itself sends ``READY=1`` before there are workers. Here it is sent once a worker is in service, that is, its
``/readyz`` answers 200, so a start with a wrong key does not count as one. Only the master sends, as systemd's default
``NotifyAccess=main`` takes it.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.systemd import sd_notify

from omni_gateway.http.readiness import Readiness

ADDRESS = "NOTIFY_SOCKET"
LOOK_SECONDS = 0.2


class InService:
    """Whether any worker of one generation is in service: a byte that the master shares with the workers it forks."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    def __bool__(self) -> bool:
        return self._shared[0] == 1

    def follow(self, readiness: Readiness) -> None:
        """Set it once a worker's checks have passed; called in the worker."""
        if ADDRESS in os.environ:
            threading.Thread(target=self._wait, args=(readiness,), name="in-service", daemon=True).start()

    def _wait(self, readiness: Readiness) -> None:
        while not readiness.report().ready:
            time.sleep(LOOK_SECONDS)
        self._shared[0] = 1


class NotifyingArbiter(Arbiter):  # type: ignore[misc]
    """The master process.

    The application's attribute ``in_service`` is an :class:`InService`, a new one for the workers of each reload.
    """

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._awaited = True

    def start(self) -> None:
        """Start to listen, without gunicorn's notification."""
        with _without_notifications():
            super().start()

    def handle_hup(self) -> None:
        """Reload; the service manager shows the state ``reloading`` until a new worker is in service."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self.app.in_service, self._awaited = InService(), True
        super().handle_hup()

    def murder_workers(self) -> None:
        """One turn of the master's loop, which takes a second at most."""
        super().murder_workers()
        if self._awaited and self.app.in_service:
            self._awaited = False
            self._notify("READY=1")

    def stop(self, graceful: bool = True) -> None:
        """Stop the workers."""
        self._notify("STOPPING=1")
        super().stop(graceful)

    def _notify(self, state: str) -> None:
        sd_notify(state, self.log)


@contextmanager
def _without_notifications() -> Iterator[None]:
    address = os.environ.pop(ADDRESS, None)
    try:
        yield
    finally:
        if address is not None:
            os.environ[ADDRESS] = address
