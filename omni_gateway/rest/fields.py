"""Marshmallow fields for value forms of Omni's JSON that marshmallow does not have.

Each field converts both ways: ``deserialize`` (marshmallow's own) turns a caller's value into the back end's wire form;
:meth:`Rendered.render` turns the wire form into the value that callers read. Plain marshmallow fields need neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from marshmallow import fields, validate

from omni_gateway.auth.scope import LONGEST_PATTERN, MOST_PATTERNS
from omni_gateway.omni import scalars
from omni_gateway.redaction.configuration import MASK

_DURATION_UNITS = {"h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)(h|m|s)")


class Rendered:
    """Mix-in for a field whose wire form differs from the value that callers read."""

    #: The value that callers read if the field is not set.
    zero: Any = None

    def render(self, value: Any) -> Any:
        """Return the value that callers read for a wire value."""
        raise NotImplementedError


class Boolean(fields.Boolean):
    """JSON ``true`` or ``false``; ``1`` and ``"yes"`` are rejected."""

    truthy = {True}
    falsy = {False}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Integer(fields.Integer):
    """A JSON integer; ``1.5`` and ``"1"`` are rejected."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, (bool, str)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Int64(Integer, Rendered):
    """A 64-bit integer: text on Omni's wire (protojson), a JSON number here."""

    zero = 0

    def render(self, value: Any) -> int:
        """Return the text or number as an int."""
        return int(value)


class Enum(fields.String, Rendered):
    """An enum of Omni: a number on the wire, its name here; a number without a name reads ``UNKNOWN_7``."""

    default_error_messages = {"enum": "Must be one of: {choices}."}

    def __init__(self, enum: type[IntEnum], **kwargs: Any) -> None:
        self.enum = enum
        self.names: dict[int, str] = {member.value: name for name, member in enum.__members__.items()}
        self.zero = self.names.get(0, "")
        metadata = {"enum": list(enum.__members__), **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def render(self, value: Any) -> str:
        """Return the name of the number; a name is returned unchanged."""
        return value if isinstance(value, str) else self.names.get(value, f"UNKNOWN_{value}")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        name = super()._deserialize(value, attr, data, **kwargs)
        if name not in self.enum.__members__:
            raise self.make_error("enum", choices=", ".join(self.enum.__members__))
        return int(self.enum[name])


class Timestamp(fields.String, Rendered):
    """A point in time: RFC 3339 text with an offset, both ways; protobuf's message is accepted too."""

    default_error_messages = {"timestamp": "Must be an RFC 3339 time such as 2026-08-21T10:00:00Z."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_none", True)
        super().__init__(metadata={"format": "date-time", **kwargs.pop("metadata", {})}, **kwargs)

    def render(self, value: Any) -> Any:
        """Return the text unchanged: Omni writes RFC 3339."""
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if isinstance(value, Mapping) and "seconds" in value:
            return self._of_message(value)
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise self.make_error("timestamp") from error
        if moment.tzinfo is None:
            raise self.make_error("timestamp")
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _of_message(self, value: Mapping[str, Any]) -> str:
        try:
            return str(scalars.read(scalars.TIMESTAMP, value))
        except ValueError as error:
            raise self.make_error("timestamp") from error


class Duration(fields.String, Rendered):
    """A length of time: ``"1h30m"`` or ``"5400s"`` from callers, seconds with an ``s`` on the wire and in answers.

    protobuf's message, ``{"seconds": 5400}``, is accepted too.
    """

    #: Seconds; a protobuf Duration is limited to ten thousand years (of 365.25 days).
    LONGEST = 315_576_000_000.0
    default_error_messages = {
        "duration": "Must be a duration such as 90s, 15m or 1h30m.",
        "longest": "Must be at most 10,000 years.",
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_none", True)
        super().__init__(**kwargs)

    def render(self, value: Any) -> Any:
        """Return the text unchanged: protojson writes seconds."""
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if isinstance(value, Mapping) and "seconds" in value:
            value = self._of_message(value)
        text = str(super()._deserialize(value, attr, data, **kwargs))
        seconds = self.seconds(text)
        return f"{int(seconds)}s" if seconds == int(seconds) else f"{seconds:.9f}".rstrip("0") + "s"

    def _of_message(self, value: Mapping[str, Any]) -> str:
        try:
            return str(scalars.read(scalars.DURATION, value))
        except ValueError as error:
            raise self.make_error("duration") from error

    def seconds(self, text: str) -> float:
        """Return a duration in seconds. Raises marshmallow's ``ValidationError`` for an invalid text."""
        if not text or len(text) > 40 or _DURATION.sub("", text):
            raise self.make_error("duration")
        seconds = sum(float(number) * _DURATION_UNITS[unit] for number, unit in _DURATION.findall(text))
        if seconds > self.LONGEST:
            raise self.make_error("longest")
        return seconds


class Masked(fields.String, Rendered):
    """Text that may contain a secret: callers read it masked by ``mask`` and cannot write it."""

    zero = ""

    def __init__(self, mask: Callable[[str], str], **kwargs: Any) -> None:
        self.mask = mask
        super().__init__(dump_only=True, **kwargs)

    def render(self, value: Any) -> str:
        """Return the masked text."""
        return self.mask(str(value))


class Secret(fields.String, Rendered):
    """Text that callers may write and cannot read: they read ``***`` if it is set."""

    zero = ""

    def render(self, value: Any) -> str:
        """Return ``***`` if the secret is set, else the empty text."""
        return MASK if value else ""


class Message(fields.Nested):
    """A nested message; ``null`` if it is not set."""

    def __init__(self, nested: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_none", True)
        super().__init__(nested, **kwargs)


class ClusterPatterns(fields.List[str], Rendered):
    """Glob patterns of cluster names (``prod-*``), as in a token's scope; null: no restriction."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_none", True)
        no_nul = validate.ContainsNoneOf("\0", error="Must not contain a NUL character.")
        pattern = fields.String(validate=[validate.Length(min=1, max=LONGEST_PATTERN), no_nul])
        super().__init__(pattern, validate=validate.Length(max=MOST_PATTERNS), **kwargs)

    def render(self, value: Any) -> Any:
        """Return the list unchanged: null means every cluster, an empty list none."""
        return value
