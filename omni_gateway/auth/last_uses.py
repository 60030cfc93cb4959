"""Times of tokens' last uses, written to the store by a thread, so that requests do not wait for it."""

from __future__ import annotations

import logging
import os
import time
from datetime import UTC, datetime
from threading import Condition, Lock, Thread

from omni_gateway.store import StoreUnavailable, TokenStore

log = logging.getLogger(__name__)

#: The shortest time between two writes of one token's use.
NOTE_SECONDS = 60.0
MOST_NOTED = 1024
#: The thread ends after this time without anything to write; the next use starts another.
IDLE_SECONDS = 30.0


class LastUses:
    """Collects uses and writes the latest of each token; one that cannot be written is dropped."""

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, datetime] = {}
        self._running_in = 0

    def note(self, id: str) -> None:
        """Note that a token was used now, at most every ``NOTE_SECONDS``; does not block on the store."""
        now = time.monotonic()
        if self._noted.get(id, -NOTE_SECONDS) > now - NOTE_SECONDS:
            return
        with self._changed:
            if len(self._noted) >= MOST_NOTED:
                self._noted.clear()
            self._noted[id] = now
            if len(self._waiting) < MOST_NOTED:
                self._waiting[id] = datetime.now(UTC)
            # A thread does not survive a fork, so its process is remembered, and a child starts its own.
            if self._running_in == os.getpid():
                self._changed.notify()
            else:
                self._running_in = os.getpid()
                Thread(target=self._run, name="token-uses", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS):
                    self._running_in = 0
                    return
                waiting, self._waiting = self._waiting, {}
            for id, moment in waiting.items():
                self._write(id, moment)

    def _write(self, id: str, moment: datetime) -> None:
        try:
            self._tokens.used(id, moment)
        except StoreUnavailable as error:
            log.debug("the last use of token %s could not be written: %s", id, error.reason)
        except Exception:
            log.warning("the last use of token %s could not be written", id, exc_info=True)
