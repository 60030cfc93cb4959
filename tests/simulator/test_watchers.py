"""The queue of each watcher: bounded, so that no writer waits for a slow reader."""

from __future__ import annotations

import pytest

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.state.watchers import LONGEST_QUEUE, Watchers


def test_writers_never_wait_and_a_watcher_too_far_behind_is_cut_off() -> None:
    store = Store()
    watchers = Watchers(store)
    watcher, present = watchers.follow("default", "Things", lambda: True)
    store.create(Resource("default", "Things", "a"))

    for number in range(LONGEST_QUEUE + 10):
        store.modify("default", "Things", "a", lambda res, number=number: res.spec.update(n=number))

    assert present == ()
    with pytest.raises(Exception, match="too far behind"):
        list(watcher)


def test_a_closed_watcher_ends() -> None:
    watchers = Watchers(Store())
    watcher, _ = watchers.follow("default", "Things", lambda: True)

    watchers.close()

    assert list(watcher) == []
