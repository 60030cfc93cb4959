"""Metrics of a process's present state: gauges that are set every few seconds, and before each exposition.

With several workers one of them answers ``/metrics``. It can look at its own state only, so each worker writes its own
into the shared files (:mod:`omni_gateway.http.metrics`), from a thread that a worker starts once it serves.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal

from prometheus_client import Counter, Gauge

from omni_gateway.http.metrics import REGISTRY

log = logging.getLogger(__name__)

#: The greatest age of the figures of workers other than the one that answers.
INTERVAL_SECONDS = 5.0


def sampled_gauge(
    name: str, text: str, labels: Sequence[str] = (), mode: Literal["livesum", "livemax", "livemin"] = "livesum"
) -> Gauge:
    """Return a gauge that each process sets for itself; ``mode``: how those of live workers make one figure."""
    return Gauge(name, text, labels, registry=REGISTRY, multiprocess_mode=mode)


class MetricSamples:
    """The functions of one application that set gauges; they must not block."""

    def __init__(self) -> None:
        self._functions: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._running_in: int | None = None

    def add(self, function: Callable[[], None]) -> None:
        """Call a function for each sample."""
        self._functions.append(function)

    def take(self) -> None:
        """Set all gauges; one that fails is logged, and keeps the value that it had."""
        with self._lock:
            for function in self._functions:
                try:
                    function()
                except Exception:
                    log.exception("metrics could not be set")

    def start(self) -> None:
        """Take samples in a thread of this process; a second call does nothing."""
        if self._running_in == os.getpid():
            return
        self._running_in = os.getpid()
        threading.Thread(target=self._repeat, name="metric-samples", daemon=True).start()

    def _repeat(self) -> None:
        while True:
            self.take()
            time.sleep(INTERVAL_SECONDS)


class Total:
    """A counter of a total that is kept elsewhere: its growth since the last sample is added.

    A total that is smaller than before has begun again.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._known: dict[tuple[int, tuple[str, ...]], float] = {}

    def follow(self, total: float, *labels: str) -> None:
        """Take over a total of this process."""
        key = (os.getpid(), labels)
        known = self._known.get(key, 0.0)
        grown = total - known if total >= known else total
        self._known[key] = total
        series = self._counter.labels(*labels) if labels else self._counter
        series.inc(grown)
