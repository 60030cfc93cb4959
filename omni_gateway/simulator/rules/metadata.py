"""Limits of ids, labels and annotations: the same for every type."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from omni_gateway.simulator.state.resource import Resource

MOST_ENTRIES = 256
LONGEST_NAME = 1024
LONGEST_VALUE = 16384


def of_new(new: Resource) -> Iterator[str]:
    """Yield the problems of a new object's metadata."""
    if not new.id:
        yield "the id is empty"
    elif len(new.id.encode()) > LONGEST_NAME:
        yield f"the id is longer than {LONGEST_NAME} bytes"
    elif has_control(new.id):
        yield "the id has control characters"
    yield from _entries("label", {}, new.labels)
    yield from _entries("annotation", {}, new.annotations)


def of_changed(old: Resource, new: Resource) -> Iterator[str]:
    """Yield the problems of the labels and annotations that a change brings in."""
    yield from _entries("label", old.labels, new.labels)
    yield from _entries("annotation", old.annotations, new.annotations)


def _entries(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    if len(new) > MOST_ENTRIES and len(new) > len(old):
        yield f"more than {MOST_ENTRIES} {what}s"
    for key, value in new.items():
        if old.get(key) == value:
            continue
        if not key or len(key.encode()) > LONGEST_NAME:
            yield f"a {what}'s key must have 1 to {LONGEST_NAME} bytes"
        if len(value.encode()) > LONGEST_VALUE:
            yield f"the {what} {key[:80]!r} is longer than {LONGEST_VALUE} bytes"
        if has_control(key) or has_control(value):
            yield f"the {what} {key[:80]!r} has control characters"


def has_control(text: str) -> bool:
    """Return whether a text has control characters."""
    return not text.isprintable() and any(unicodedata.category(char) == "Cc" for char in text)
