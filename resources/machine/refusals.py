"""What is wrong with a request, gathered so that the caller hears all of it at once."""

from __future__ import annotations

from omni_gateway.sdk import Problem


class Refusals:
    """Messages by field."""

    def __init__(self) -> None:
        self._messages: dict[str, list[str]] = {}

    def add(self, field: str, message: str) -> None:
        """Note one thing that is wrong."""
        self._messages.setdefault(field, []).append(message)

    def raise_any(self) -> None:
        """Raise a ``validation`` problem that names every field, if anything is wrong."""
        if self._messages:
            raise Problem(422, "validation", "Nothing was written: see `errors`.", errors=self._messages)
