"""The members of Omni's specs by message, so that a spec of any type can be read and written (facts: wire tables).

Omni's JSON has proto names, numbers for enums and text for 64-bit integers; omnictl's YAML has the same names without
their underscores and Go's durations; people write enums by name. :func:`to_wire` takes all of these, :func:`to_plain`
gives proto names, enum names and numbers. What the tables do not know (a newer Omni's types and members) passes as it
is, and Omni judges it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_WIDE = frozenset({"int64", "uint64"})
_DURATION = "google.protobuf.Duration"
_MAP = re.compile(r"map<\w+, (.+)>")
_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class SpecError(ValueError):
    """A spec has a member that its type does not have; ``path`` is where, ``known`` what there is."""

    def __init__(self, path: str, known: list[str]) -> None:
        super().__init__(f"{path}: no such member")
        self.path = path
        self.known = known


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a message; ``type`` is that of an item where it is ``many`` (a list) or ``keyed`` (a map)."""

    name: str
    type: str
    many: bool
    keyed: bool


def to_wire(type: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec as Omni's JSON has it; :class:`SpecError` for a member that this type does not have.

    A wrong enum name is left for Omni to refuse.
    """
    message = _types().get(type)
    return dict(spec) if message is None else _message_to_wire(message, spec, "spec")


def to_plain(type: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with enums by name and 64-bit integers as numbers."""
    message = _types().get(type)
    return dict(spec) if message is None else _message_to_plain(message, spec)


def _message_to_wire(message: str, value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        return value
    known = _members(message)
    by_any_name = _by_folded_name(message)
    result: dict[str, Any] = {}
    for key, item in value.items():
        member = known.get(key) or by_any_name.get(_folded(str(key)))
        if member is None:
            raise SpecError(f"{path}.{key}", list(known))
        if item is not None:
            result[member.name] = _many_to_wire(member, item, f"{path}.{member.name}")
    return result


def _many_to_wire(member: Member, value: Any, path: str) -> Any:
    if member.many and isinstance(value, list):
        return [_one_to_wire(member.type, item, f"{path}.{position}") for position, item in enumerate(value)]
    if member.keyed and isinstance(value, Mapping):
        return {str(key): _one_to_wire(member.type, item, f"{path}.{key}") for key, item in value.items()}
    return _one_to_wire(member.type, value, path)


def _one_to_wire(type: str, value: Any, path: str) -> Any:
    if type == _DURATION and isinstance(value, str):
        return _seconds(value)
    if type.startswith("enum ") and isinstance(value, str):
        return _enum(type).get(value, value)
    return _message_to_wire(type, value, path) if type in _messages() else value


def _message_to_plain(message: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    known = _members(message)
    return {key: _many_to_plain(known[key], item) if key in known else item for key, item in value.items()}


def _many_to_plain(member: Member, value: Any) -> Any:
    if isinstance(value, list):
        return [_one_to_plain(member.type, item) for item in value]
    if member.keyed and isinstance(value, Mapping):
        return {key: _one_to_plain(member.type, item) for key, item in value.items()}
    return _one_to_plain(member.type, value)


def _one_to_plain(type: str, value: Any) -> Any:
    if type in _WIDE and isinstance(value, str):
        return int(value)
    if type.startswith("enum ") and isinstance(value, int):
        return next((name for name, number in _enum(type).items() if number == value), value)
    return _message_to_plain(type, value) if type in _messages() else value


def _seconds(text: str) -> str:
    """Turn ``1h30m0s`` into ``5400s``; anything else is Omni's to refuse."""
    if not text or len(text) > 40 or _GO_DURATION.sub("", text):
        return text
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _GO_DURATION.findall(text))
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _table(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


@cache
def _types() -> dict[str, str]:
    return {row["type"]: row["spec_message"] for row in _table("types.tsv") if row["spec_message"] in _messages()}


@cache
def _messages() -> dict[str, dict[str, Member]]:
    messages: dict[str, dict[str, Member]] = {}
    for row in _table("fields.tsv"):
        members = messages.setdefault(row["message"], {})
        if row["field"] == "-":  # a message without members
            continue
        keyed = _MAP.fullmatch(row["type"])
        type = keyed.group(1) if keyed else row["type"]
        members[row["field"]] = Member(row["field"], type, row["label"] == "repeated", keyed is not None)
    return messages


def _members(message: str) -> dict[str, Member]:
    return _messages()[message]


@cache
def _by_folded_name(message: str) -> dict[str, Member]:
    return {_folded(name): member for name, member in _members(message).items()}


@cache
def _enums() -> dict[str, dict[str, int]]:
    enums: dict[str, dict[str, int]] = {}
    for row in _table("enums.tsv"):
        enums.setdefault(row["enum"], {})[row["value"]] = int(row["number"])
    return enums


def _enum(type: str) -> dict[str, int]:
    return _enums().get(type.removeprefix("enum "), {})
