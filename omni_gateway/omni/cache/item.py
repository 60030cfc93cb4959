"""One version of one object, as a watch told it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


class Item:
    """An object's JSON text and what is needed to find it; never changed, so it may be shared by all threads.

    ``derived`` keeps what others make of the object, for as long as this version lives.
    """

    __slots__ = ("created", "derived", "id", "labels", "leaving", "text", "version")

    def __init__(self, text: str) -> None:
        metadata = orjson.loads(text)["metadata"]
        self.text = text
        self.id: str = metadata["id"]
        self.version = int(metadata.get("version", 0))
        self.created: str = metadata.get("created") or ""
        self.leaving = metadata.get("phase") == "tearingDown"
        self.labels: Mapping[str, str] = metadata.get("labels") or {}
        self.derived: Any = None

    def body(self) -> dict[str, Any]:
        """Return the object as ``{"metadata", "spec"}``, parsed anew: callers may change it."""
        parsed: dict[str, Any] = orjson.loads(self.text)
        return parsed

    def __len__(self) -> int:
        """Return the size of the text in characters, which for Omni's JSON is nearly always its bytes."""
        return len(self.text)
