"""Calls that need not wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def map_concurrently(function: Callable[[ItemT], ResultT], items: Iterable[ItemT], most: int) -> list[ResultT]:
    """Return ``function`` of each item, in order, at most so many at once; raises what the first to fail raises.

    Each runs in the context of the request in flight, which is told of what they ask of Omni.
    """
    with ThreadPoolExecutor(most) as pool:
        running = [pool.submit(copy_context().run, function, item) for item in items]
        return [each.result() for each in running]
