"""YAML scalars without quotes, whose meaning depends on the field that they are the value of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PlainScalar:
    """A YAML scalar that reads as a number, a boolean or null, with its source text.

    ``ver: 1.10`` is the number 1.1 in a numeric field and the text ``1.10`` in a text field: only the reader that knows
    the field can choose.
    """

    value: bool | int | float | None
    text: str

    def __str__(self) -> str:
        return self.text


def value_of(scalar: Any) -> Any:
    """Return the YAML value where no field's type is known; anything else as it is."""
    return scalar.value if isinstance(scalar, PlainScalar) else scalar


def text_of(scalar: Any) -> Any:
    """Return the source text where a text is expected; anything else as it is."""
    return scalar.text if isinstance(scalar, PlainScalar) else scalar


def values_in(document: Any) -> Any:
    """Return a document with the YAML value of every scalar, at every depth."""
    if isinstance(document, dict):
        return {key: values_in(item) for key, item in document.items()}
    if isinstance(document, list):
        return [values_in(item) for item in document]
    return value_of(document)
