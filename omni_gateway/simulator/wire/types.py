"""The catalogue of Omni's resource types: namespace, message of the spec, and the role of each verb.

Read once from the tables in ``data/``: ``types.tsv`` (one resource type a line; in the columns of verbs the lowest role
that may, or ``-`` for none), ``fields.tsv`` (the fields of every spec message) and ``enums.tsv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Verb = Literal["read", "create", "update", "destroy"]
VERBS: tuple[Verb, ...] = ("read", "create", "update", "destroy")
_NOBODY = "-"
_NO_MESSAGE = "?"


@dataclass(frozen=True)
class ResourceType:
    """A type: its own namespace, its spec message (None when Omni has no codec for it), the lowest role of each verb.

    ``listable`` is False for types that are computed one id at a time. With ``existence_first`` a missing object is
    missing for everybody, before any question of roles. ``destroy_breaks`` is how Omni's own handler fails on a
    teardown, whoever asks: ``unknown`` or ``internal``, empty for a handler that works.
    """

    name: str
    namespace: str
    message: str | None
    roles: Mapping[Verb, str | None]
    listable: bool
    existence_first: bool
    destroy_breaks: str = ""


@dataclass(frozen=True)
class Field:
    """A field of a message: its value's type is a scalar's name, ``enum <name>`` or a message's name."""

    name: str
    json_name: str
    type: str
    repeated: bool = False
    map_key: str = ""


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("omni_gateway.simulator").joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


@cache
def catalogue() -> Mapping[str, ResourceType]:
    """Return every type by its full name."""
    return {row["type"]: _type(row) for row in _rows("types.tsv")}


def _type(row: dict[str, str]) -> ResourceType:
    message = None if row["spec"] == _NO_MESSAGE else row["spec"]
    roles = {verb: None if row[verb] == _NOBODY else row[verb] for verb in VERBS}
    listable, existence_first = row["list"] != "no", row["existence_first"] == "yes"
    return ResourceType(row["type"], row["namespace"], message, roles, listable, existence_first, row["destroy_breaks"])


@cache
def messages() -> Mapping[str, tuple[Field, ...]]:
    """Return the fields of every message that a spec may hold, in their order."""
    found: dict[str, list[Field]] = {}
    for row in _rows("fields.tsv"):
        fields = found.setdefault(row["message"], [])
        if row["field"] != "-":
            fields.append(_field(row))
    return {name: tuple(fields) for name, fields in found.items()}


def _field(row: dict[str, str]) -> Field:
    if row["label"] == "map":
        key, _, value = row["type"].removeprefix("map<").removesuffix(">").partition(", ")
        return Field(row["field"], row["json_name"], value, map_key=key)
    return Field(row["field"], row["json_name"], row["type"], repeated=row["label"] == "repeated")


@cache
def enums() -> Mapping[str, Mapping[str, int]]:
    """Return the values of every enum by name."""
    found: dict[str, dict[str, int]] = {}
    for row in _rows("enums.tsv"):
        found.setdefault(row["enum"], {})[row["value"]] = int(row["number"])
    return found
