"""Immutable schemas."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import marshmallow as ma


class FixedSchema(ma.Schema):
    """A schema whose deep copy is the schema itself.

    flask-smorest deep-copies a view's documentation in each of its decorators. With the schemas in it, that took
    seconds of a start and most of a worker's memory.
    """

    #: Names of fields that an answer may lack; all others are always in it, and ``required`` in the OpenAPI document.
    optional_in_answers: ClassVar[frozenset[str]] = frozenset()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this schema: it is not changed after it is made."""
        return self
