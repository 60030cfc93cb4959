"""Immutable schemas."""

from __future__ import annotations

from typing import Any, Self

import marshmallow as ma


class FixedSchema(ma.Schema):
    """A schema whose deep copy is the schema itself.

    flask-smorest deep-copies a view's documentation in each of its decorators. With the schemas in it, that took
    seconds of a start and most of a worker's memory.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this schema: it is not changed after it is made."""
        return self
