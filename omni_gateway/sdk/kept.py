"""An object of the cache as a :class:`Resource`: its spec is parsed when it is asked for, and not kept.

What is read again and again is kept with the object (``derived``): its rendered body, its tag, its digests. The parsed
spec, which takes five times the room of its text, is not among that.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

from omni_gateway.omni.cache.item import Item
from omni_gateway.sdk.resource import Resource

_METADATA = tuple(field.name for field in fields(Resource) if field.init and field.name != "spec")


class KeptResource(Resource):
    """Read-only, as all shared objects are; a changed copy (``dataclasses.replace``) has a spec of its own."""

    __slots__ = ("_own", "_text")
    _own: dict[str, Any] | None
    _text: str

    @property
    def spec(self) -> dict[str, Any]:
        """Return the spec, parsed anew."""
        return self._own if self._own is not None else orjson.loads(self._text).get("spec") or {}

    @spec.setter
    def spec(self, value: dict[str, Any]) -> None:
        self._own = value


def kept(item: Item) -> Resource:
    """Return the object of an item, shared."""
    made = KeptResource(item.id)
    plain = Resource.from_omni(item.body())
    for name in _METADATA:
        setattr(made, name, getattr(plain, name))
    made._own, made._text = None, item.text
    return made.shared()
