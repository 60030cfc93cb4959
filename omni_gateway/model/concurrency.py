"""Independent calls, run concurrently."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def map_concurrently(function: Callable[[ItemT], ResultT], items: Iterable[ItemT], most: int) -> list[ResultT]:
    """Return ``function(item)`` of each item, in order, with at most ``most`` calls at a time.

    Raises the exception of the first item, in order, that failed, after all calls have ended.
    """
    with ThreadPoolExecutor(most) as pool:
        # Each call gets a copy of the request's context, so that its reads are recorded for the response.
        futures = [pool.submit(copy_context().run, function, item) for item in items]
        return [future.result() for future in futures]
