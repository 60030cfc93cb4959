"""The audit lines that the application in this process writes meanwhile."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omni_gateway.audit import lines


class _Collect(logging.Handler):
    def __init__(self, found: list[dict[str, Any]]) -> None:
        super().__init__()
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(json.loads(record.getMessage()))


@contextmanager
def audit_lines() -> Iterator[list[dict[str, Any]]]:
    """Return the list of lines, which grows while the context lasts."""
    found: list[dict[str, Any]] = []
    handler = _Collect(found)
    lines.log.addHandler(handler)
    try:
        yield found
    finally:
        lines.log.removeHandler(handler)
