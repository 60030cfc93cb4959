"""Field errors of a request, collected so that one response reports all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omni_gateway.http.problems import Problem


class FieldErrors:
    """Error messages by field. Add them with ``add`` and ``update``, then call ``raise_if_any``."""

    def __init__(self) -> None:
        self._messages: dict[str, list[str]] = {}

    def add(self, field: str, message: str) -> None:
        """Add one message; ``field`` is a dotted path of the request body, or the name of a parameter."""
        self._messages.setdefault(field, []).append(message)

    def update(self, messages: Mapping[str, Sequence[str]]) -> None:
        """Add several messages: field → messages."""
        for field, texts in messages.items():
            self._messages.setdefault(field, []).extend(texts)

    def __bool__(self) -> bool:
        return bool(self._messages)

    def raise_if_any(self) -> None:
        """Raise a ``validation`` problem (422) with all messages, if there are any."""
        if self._messages:
            raise Problem(422, "validation", "Nothing was written: see `errors`.", errors=self._messages)
