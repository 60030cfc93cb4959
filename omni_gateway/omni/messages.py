"""The messages, enums and resource types of Omni's specs, from the tables in ``data/``."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_MAP = re.compile(r"map<(\w+), (.+)>")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a message; ``type`` is that of an item where it is ``many`` (a list) or ``keyed`` (a map)."""

    name: str
    type: str
    many: bool
    keyed: bool
    #: The type of a map's keys; empty for other members.
    key_type: str = ""


def message_of(type: str) -> str | None:
    """Return the message of a resource type's spec; None for a type that the tables do not describe."""
    return _types().get(type)


def known_types() -> Collection[str]:
    """Return the resource types of the tables, in their order."""
    return _rows().keys()


def is_known(type: str) -> bool:
    """Return whether the tables have a resource type, be it only by its name."""
    return type in _rows()


def singular(type: str) -> str:
    """Return the singular name of a resource type, such as ``MachineSet``; empty for an unknown type."""
    return _rows()[type]["singular"] if type in _rows() else ""


def refused_verbs(type: str) -> frozenset[str]:
    """Return which of ``create``, ``update`` and ``destroy`` Omni refuses to all callers; none for an unknown type.

    From an Omni of August 2026: usable to predict an answer, but not to skip the call.
    """
    return frozenset(_rows()[type]["refused"].split(",")) - {""} if type in _rows() else frozenset()


def is_message(type: str) -> bool:
    """Return whether a member's type is a message of the tables."""
    return type in _messages()


def members(message: str) -> Mapping[str, Member]:
    """Return the members of a message by their proto names."""
    return _messages()[message]


@cache
def by_folded_name(message: str) -> Mapping[str, Member]:
    """Return the members of a message by :func:`folded` name."""
    return {folded(name): member for name, member in members(message).items()}


def folded(name: str) -> str:
    """Return a name without case and underscores: ``backup_at``, ``backupAt`` and ``backupat`` are one member."""
    return name.replace("_", "").lower()


def enum(type: str) -> Mapping[str, int]:
    """Return the values of an enum (``enum specs.…``) by name."""
    return _enums().get(type.removeprefix("enum "), {})


def _table(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


@cache
def _rows() -> dict[str, dict[str, str]]:
    return {row["type"]: row for row in _table("types.tsv")}


@cache
def _types() -> dict[str, str]:
    return {type: row["spec_message"] for type, row in _rows().items() if row["spec_message"] in _messages()}


@cache
def _messages() -> dict[str, dict[str, Member]]:
    found: dict[str, dict[str, Member]] = {}
    for row in _table("fields.tsv"):
        message = found.setdefault(row["message"], {})
        if row["field"] == "-":  # a message without members
            continue
        keyed = _MAP.fullmatch(row["type"])
        key_type, type = keyed.groups() if keyed else ("", row["type"])
        message[row["field"]] = Member(row["field"], type, row["label"] == "repeated", keyed is not None, key_type)
    return found


@cache
def _enums() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in _table("enums.tsv"):
        found.setdefault(row["enum"], {})[row["value"]] = int(row["number"])
    return found
