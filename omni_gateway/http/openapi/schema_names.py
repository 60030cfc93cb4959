"""Names of schemas in the OpenAPI document, and who brought each."""

from __future__ import annotations

from typing import Any

import marshmallow as ma


class SchemaNameTaken(ValueError):
    """Two different schemas would have one name in the document; ``names`` are the schemas that this is about."""

    def __init__(self, text: str, *names: str) -> None:
        super().__init__(text)
        self.names = names


class SchemaNames:
    """Resolve schemas to their names in the document.

    apispec would rename the second of two schemas with one name; here that is an error that names both.

    ``owner`` is who brings the schemas that are resolved from now on, in words; empty: the gateway itself.
    """

    def __init__(self) -> None:
        self.owner = ""
        self._taken: dict[str, tuple[type[ma.Schema], str]] = {}

    def __call__(self, schema: Any) -> str:
        """Return its class's name without ``Schema``; raise :class:`SchemaNameTaken` if another class has that name."""
        kind = schema if isinstance(schema, type) else type(schema)
        name = str(kind.__name__.removesuffix("Schema") or kind.__name__)
        other, owner = self._taken.setdefault(name, (kind, self.owner))
        if (other.__module__, other.__qualname__) != (kind.__module__, kind.__qualname__):
            text = f"{_described(other, owner)} and by {_described(kind, self.owner)}"
            raise SchemaNameTaken(f"the schema name {name!r} is used by {text}; rename one", name)
        return name

    def owner_of(self, name: str) -> str:
        """Return who brought the schema of a name."""
        return self._taken[name][1] if name in self._taken else ""


def _described(kind: type, owner: str) -> str:
    return f"{kind.__module__}.{kind.__qualname__} of {owner or 'the gateway itself'}"
