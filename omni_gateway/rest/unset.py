"""Keep fields that are not set unset, though callers send back the zeros that they read.

Callers read a value for every field, so a replace names fields that are not set. An older Omni rejects a whole object
for one field that it does not know, even if its value is zero (seen on Omni 1.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_unset(wanted: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``wanted`` without the zeros (false, 0, empty text) of fields that are not set in ``stored``.

    In proto3 both mean the same. A message of nothing but such zeros is dropped too; an empty one is kept.
    """
    result: dict[str, Any] = {}
    for key, value in wanted.items():
        if key not in stored and not isinstance(value, (dict, list)) and not value:
            continue
        if isinstance(value, dict):
            inner = stored.get(key)
            remaining = without_unset(value, inner if isinstance(inner, Mapping) else {})
            if value and not remaining and key not in stored:
                continue
            value = remaining
        result[key] = value
    return result
