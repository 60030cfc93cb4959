"""Masks in bodies: a read has ``***`` in the place of each secret; a write with that mask keeps the stored secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from omni_gateway.http.problems import Problem
from omni_gateway.redaction.configuration import MASK
from omni_gateway.rest.fields import Message, Secret


def with_stored_secrets(schema: ma.Schema, spec: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with the stored secret in the place of each mask; messages in it too, lists of them not.

    :param stored: the spec of the existing object, empty for a new one.

    Raises a 422 problem, by field, where a mask stands for a secret that is not set.
    """
    errors: dict[str, list[str]] = {}
    restored = _restored(schema, spec, stored, "", errors)
    if errors:
        raise Problem(422, "validation", errors=errors)
    return restored


def _restored(
    schema: ma.Schema, spec: Mapping[str, Any], stored: Mapping[str, Any], prefix: str, errors: dict[str, list[str]]
) -> dict[str, Any]:
    restored = dict(spec)
    for name, field in schema.load_fields.items():
        key, path = field.attribute or name, f"{prefix}{field.data_key or name}"
        value, before = spec.get(key), stored.get(key)
        if isinstance(field, Secret) and value == MASK:
            if before:
                restored[key] = before
            else:
                errors[path] = [f"{MASK!r} stands for a secret that is set; there is none."]
        elif isinstance(field, Message) and isinstance(value, Mapping):
            within = before if isinstance(before, Mapping) else {}
            restored[key] = _restored(field.schema, value, within, f"{path}.", errors)
    return restored
