"""Durations as Go writes them: ``1h30m0s``."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63
#: Characters of a text that is read at all.
_LONGEST_TEXT = 100


class Duration(int):
    """A number of nanoseconds, of at most 64 bits; its text is the form that Go writes."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Duration:
        """Return the duration of a text such as ``90m`` or ``1.5h``; raise ``ValueError`` for any other text."""
        sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        if rest == "0":
            return cls(0)
        parts = _PART.findall(rest) if len(rest) <= _LONGEST_TEXT else []
        if not parts or "".join(number + unit for number, unit in parts) != rest:
            raise ValueError("Must be a duration such as 30s, 90m or 1h30m.")
        total = sum(_nanoseconds(number, _UNITS[unit]) for number, unit in parts)
        if total >= _LONGEST:
            raise ValueError("Must be a duration of at most 64 bits of nanoseconds.")
        return cls(sign * total)

    def __str__(self) -> str:
        """Return the duration as Go writes it."""
        if self == 0:
            return "0s"
        sign, rest = ("-", -int(self)) if self < 0 else ("", int(self))
        if rest < _UNITS["s"]:
            unit = next(each for each in ("ms", "us", "ns") if rest >= _UNITS[each])
            return f"{sign}{_decimal(rest, _UNITS[unit])}{'µs' if unit == 'us' else unit}"
        hours, rest = divmod(rest, _UNITS["h"])
        minutes, rest = divmod(rest, _UNITS["m"])
        text = f"{_decimal(rest, _UNITS['s'])}s"
        if hours or minutes:
            text = f"{minutes}m{text}"
        return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"

    def to_wire(self) -> str:
        """Return the duration as protobuf's JSON has it: seconds, with 0, 3, 6 or 9 digits of a fraction."""
        seconds, rest = divmod(abs(int(self)), _UNITS["s"])
        fraction = f".{rest:09}" if rest else ""
        while fraction.endswith("000"):
            fraction = fraction[:-3]
        return f"{'-' if self < 0 else ''}{seconds}{fraction}s"


#: No time at all.
NONE = Duration(0)


def _nanoseconds(number: str, unit: int) -> int:
    whole, _, fraction = number.partition(".")
    return int(whole or "0") * unit + int(fraction or "0") * unit // int("1" + "0" * len(fraction))


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    fraction = str(rest).zfill(len(str(unit)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
