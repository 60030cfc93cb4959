"""Reading a watch: one piece of a stream may hold several events, or be one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def told(answer: Any) -> Iterator[dict[str, Any]]:
    """Return a watch's events (NDJSON) as they come."""
    for piece in answer.response:
        yield from map(json.loads, filter(None, piece.splitlines()))
