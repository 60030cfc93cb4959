"""Unquoted YAML scalars, whose type depends on the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PlainScalar:
    """A YAML scalar that parses as a number, a boolean, a time or null, with its source text.

    ``ver: 1.10`` is the number 1.1 in a numeric field and the text ``1.10`` in a text field: only code that knows the
    field's type can choose.
    """

    value: bool | int | float | str | None
    text: str

    def __str__(self) -> str:
        return self.text


def value_of(scalar: Any) -> Any:
    """Return a scalar's YAML value; any other value unchanged."""
    return scalar.value if isinstance(scalar, PlainScalar) else scalar


def text_of(scalar: Any) -> Any:
    """Return a scalar's source text, for a text field; any other value unchanged."""
    return scalar.text if isinstance(scalar, PlainScalar) else scalar


def values_in(document: Any) -> Any:
    """Return a document with the YAML value of every scalar, at every depth."""
    if isinstance(document, dict):
        return {key: values_in(item) for key, item in document.items()}
    if isinstance(document, list):
        return [values_in(item) for item in document]
    return value_of(document)
