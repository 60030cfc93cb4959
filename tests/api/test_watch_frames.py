"""Watches of all kinds over a recorded sequence of Omni's events are sent the stored frames, byte for byte."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import pytest

from .watch_trace import FRAMES, OpenWatch, play

pytestmark = pytest.mark.slow


def _readers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "stream-feed"}


def test_each_watch_is_sent_the_frames_that_are_stored(wait_until: Callable[..., Any]) -> None:
    before = _readers()
    stored: dict[str, list[list[str]]] = json.loads(FRAMES.read_text())
    sent: dict[str, list[str]] = {}

    def all_have_come(watches: list[OpenWatch], step: int) -> None:
        for watch in watches:
            count = sum(map(len, stored[watch.watch.name][: step + 1]))
            wait_until(partial(watch.has, count), what=f"frame {count} of {watch.watch.name}")
            # Before Omni is stopped, which ends watches with an ERROR of their own.
            sent[watch.watch.name] = list(watch.frames)

        if step == 0:
            # Watches from informers hold no thread that reads; if they did, they would not be what is tested here.
            # Those of earlier tests may end meanwhile.
            assert len(_readers() - before) == sum(not watch.watch.shared for watch in watches)

    watches = play(wait_until, all_have_come)
    for watch in watches:
        assert sent[watch.watch.name] == list(chain.from_iterable(stored[watch.watch.name])), watch.watch
    assert {watch.watch.name for watch in watches} == stored.keys()
