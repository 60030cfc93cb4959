"""What is wrong with a request, gathered so that the caller hears all of it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omni_gateway.http.problems import Problem


class FieldErrors:
    """Messages by field."""

    def __init__(self) -> None:
        self._messages: dict[str, list[str]] = {}

    def add(self, field: str, message: str) -> None:
        """Note one thing that is wrong."""
        self._messages.setdefault(field, []).append(message)

    def update(self, messages: Mapping[str, Sequence[str]]) -> None:
        """Note several."""
        for field, texts in messages.items():
            self._messages.setdefault(field, []).extend(texts)

    def __bool__(self) -> bool:
        return bool(self._messages)

    def raise_if_any(self) -> None:
        """Raise a ``validation`` problem that names every field, if anything is wrong."""
        if self._messages:
            raise Problem(422, "validation", "Nothing was written: see `errors`.", errors=self._messages)
