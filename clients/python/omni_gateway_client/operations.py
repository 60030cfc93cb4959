"""Waiting for long work."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from .api.operations import get_operation
from .client import AuthenticatedClient
from .models import Operation
from .results import result
from .types import Response

_LOCATION = re.compile(r"/operations/([^/?]+)/([^/?]+)")
_LONGEST_POLL = 30.0


class OperationFailed(Exception):
    """The operation ended in another state than ``succeeded``."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(f"{operation.kind} of {operation.id}: {operation.state}: {operation.error or operation.hint}")
        self.operation = operation


class OperationTimeout(TimeoutError):
    """The operation had not ended in time; it goes on."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(f"{operation.kind} of {operation.id} is still {operation.state}: {operation.progress}")
        self.operation = operation


def wait(
    client: AuthenticatedClient,
    answer: Response[Any],
    *,
    seconds: float = 600.0,
    on_progress: Callable[[Operation], None] | None = None,
) -> Operation | None:
    """Wait for the work that an answer began, and return its operation.

    None if the answer began none, as one to a DELETE of what was gone at once. ``on_progress`` is called with the
    operation each time that it was read. Raises :class:`OperationFailed` if it ends in another state than
    ``succeeded``, and :class:`OperationTimeout` if it does not end in time.
    """
    found = _LOCATION.search(answer.headers.get("Operation-Location", ""))
    if found is None:
        return None
    kind, id = unquote(found[1]), unquote(found[2])
    end = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        left = max(0.0, end - asked)
        poll = math.ceil(min(_LONGEST_POLL, left))
        polled = get_operation.sync_detailed(kind, id, client=client, wait=f"{poll}s")
        operation = result(polled)
        if on_progress is not None:
            on_progress(operation)
        if operation.done:
            if operation.state != "succeeded":
                raise OperationFailed(operation)
            return operation
        now = time.monotonic()
        if now >= end:
            raise OperationTimeout(operation)
        if now - asked < poll / 2:  # early: all places to wait in are taken
            time.sleep(min(float(polled.headers.get("Retry-After", 1)), end - now))
