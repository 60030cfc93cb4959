"""The mixed load of a soak: readers, writers and watchers that can be paused."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Callable

from benchmarks.processes import Target
from benchmarks.soak_checks import LABEL, Ledger, Seen
from benchmarks.soak_connections import Connection
from benchmarks.soak_reading import Reader
from benchmarks.soak_watches import KeptWatch, glance
from benchmarks.soak_writing import Writer
from omni_gateway.omni import OmniClient

WRITERS, READERS = 3, 4
WRITES_PER_SECOND, READS_PER_SECOND = 4.0, 10.0
GLANCE_SECONDS = 6.0
#: Requests after which a client opens another connection, so that both workers are asked by all.
REQUESTS_OF_A_CONNECTION = 150
KEPT = (f"configpatches?label_selector={LABEL}", "machineclasses")

Step = Callable[[Connection, Seen], None]


class Load:
    """All clients, each a thread of its own; they begin paused. ``kept`` are the watches that stay open."""

    def __init__(self, target: Target, ledger: Ledger, omni: OmniClient, seed: int, ids: list[tuple[str, str]]) -> None:
        self._target, self._ledger, self._seed = target, ledger, seed
        self._go, self._stop = threading.Event(), threading.Event()
        self._busy = threading.Semaphore(0)
        self.kept = [KeptWatch(target, ledger, path, seed + number) for number, path in enumerate(KEPT)]
        writers = [Writer(number, seed + 10 + number, ledger, omni) for number in range(WRITERS)]
        readers = [Reader(seed + 20 + number, ledger, ids, WRITERS) for number in range(READERS)]
        steps = [(each.step, WRITES_PER_SECOND) for each in writers] + [
            (each.step, READS_PER_SECOND) for each in readers
        ]
        self._threads = [
            threading.Thread(target=self._client, args=(*step, number), daemon=True)
            for number, step in enumerate(steps)
        ]
        self._threads.append(threading.Thread(target=self._glances, daemon=True))
        for each in self._threads:
            each.start()

    def resume(self) -> None:
        """Let all go on."""
        self._go.set()

    def pause(self) -> None:
        """Let all end what they are doing and close their connections; the kept watches stay."""
        self._go.clear()
        for _ in self._threads:
            if not self._busy.acquire(timeout=120):
                raise RuntimeError("a client has not come to rest in two minutes")

    def close(self) -> None:
        """End all."""
        self._stop.set()
        self._go.set()
        for each in self._threads:
            each.join()
        for kept in self.kept:
            kept.close()

    def _rounds(self) -> bool:
        """Wait for the next round; False when it is over."""
        self._go.wait()
        return not self._stop.is_set()

    def _client(self, step: Step, per_second: float, number: int) -> None:
        dice = random.Random(self._seed + 100 + number)
        while self._rounds():
            while self._go.is_set() and not self._stop.is_set():
                self._connection(step, per_second, dice)
            self._busy.release()

    def _connection(self, step: Step, per_second: float, dice: random.Random) -> None:
        with Connection(self._target) as connection:
            seen = Seen()
            for _ in range(REQUESTS_OF_A_CONNECTION):
                if not self._go.is_set() or self._stop.is_set():
                    return
                try:
                    step(connection, seen)
                except (OSError, http.client.HTTPException) as error:
                    self._ledger.found("a connection broke", repr(error))
                    return
                self._stop.wait(dice.uniform(0.5, 1.5) / per_second)

    def _glances(self) -> None:
        dice = random.Random(self._seed + 99)
        while self._rounds():
            while self._go.is_set() and not self._stop.is_set():
                try:
                    glance(
                        self._target, self._ledger, dice.choice((*KEPT, "machines", "clusters")), dice.uniform(0.3, 3)
                    )
                except (OSError, http.client.HTTPException) as error:
                    self._ledger.found("a short watch broke", repr(error))
                self._stop.wait(GLANCE_SECONDS)
            self._busy.release()
