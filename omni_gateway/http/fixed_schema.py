"""Schemas that are made once and never change."""

from __future__ import annotations

from typing import Any, Self

import marshmallow as ma


class FixedSchema(ma.Schema):
    """A schema of which a copy is the schema itself.

    flask-smorest copies what a view's documentation holds at each of its decorators: with the schemas in it, that took
    seconds of a start and most of a worker's memory.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return this very schema: nothing changes one after it is made."""
        return self
