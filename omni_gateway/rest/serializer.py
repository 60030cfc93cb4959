"""Render a back end's wire form as the REST form, by functions that are compiled once per schema.

Marshmallow's ``dump`` takes about ten times as long as parsing the same object, which is too slow for lists of a
thousand objects, so each schema is turned into a closure over plain dicts.
A field that the schema does not declare is dropped, since it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from marshmallow import Schema, fields

from omni_gateway.rest.fields import Rendered

Render = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Member:
    key: str
    zero: Any
    convert: Render | None


def compile_schema(
    schema: Schema, *, only: frozenset[str] | None = None
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return a function that renders a wire dict by ``schema``; ``only`` names the fields to render (default: all).

    A field's ``attribute`` is its wire key and its ``data_key`` the REST key; both default to the field's name. Several
    fields may have the same wire key; each is rendered from its value.
    """
    members: dict[str, _Member] = {}
    others: list[tuple[str, _Member]] = []
    for name, field in schema.fields.items():
        if only is None or name in only:
            member = _Member(field.data_key or name, _zero(field), _converter(field))
            wire_key = field.attribute or name
            if members.setdefault(wire_key, member) is not member:
                others.append((wire_key, member))
    zeros = {member.key: member.zero for member in (*members.values(), *(member for _, member in others))}
    mutable = [key for key, zero in zeros.items() if isinstance(zero, (list, dict))]
    return partial(_render, members, others, zeros, mutable)


def _render(
    members: dict[str, _Member],
    others: list[tuple[str, _Member]],
    zeros: dict[str, Any],
    mutable: list[str],
    value: Mapping[str, Any],
) -> dict[str, Any]:
    rendered = zeros.copy()
    # Lists and dicts are copied one by one: objects must not share a mutable zero.
    for key in mutable:
        rendered[key] = zeros[key].copy()
    for wire_key, item in value.items():
        member = members.get(wire_key)
        if member is not None and item is not None:
            rendered[member.key] = item if member.convert is None else member.convert(item)
    for wire_key, member in others:
        if (item := value.get(wire_key)) is not None:
            rendered[member.key] = item if member.convert is None else member.convert(item)
    return rendered


def _zero(field: fields.Field[Any]) -> Any:
    """Return the value that callers read if the wire form lacks the field: proto3 leaves zero values out."""
    if isinstance(field, Rendered):
        return field.zero
    for kinds, zero in (
        ((fields.Boolean,), False),
        ((fields.Number,), 0),
        ((fields.List,), []),
        ((fields.Dict,), {}),
        ((fields.String,), ""),
    ):
        if isinstance(field, kinds):
            return zero
    return None


def _converter(field: fields.Field[Any]) -> Render | None:
    if isinstance(field, Rendered):
        return field.render
    if isinstance(field, fields.Nested):
        return compile_schema(field.schema)
    if isinstance(field, fields.List):
        return _each(_converter(field.inner))
    if isinstance(field, fields.Dict) and field.value_field is not None:
        return _each_value(_converter(field.value_field))
    return None


def _each(convert: Render | None) -> Render | None:
    return None if convert is None else lambda items: list(map(convert, items))


def _each_value(convert: Render | None) -> Render | None:
    return None if convert is None else lambda items: {key: convert(item) for key, item in items.items()}
