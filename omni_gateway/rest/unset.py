"""What was not set and reads as zero stays unset.

Callers read every field; what they send back therefore names fields that are not set, and an older Omni refuses a
whole object for one field that it does not know, were it zero (tried on 1.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_unset(wanted: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``wanted`` without the zeros (false, 0, empty text) at places where ``stored`` has nothing.

    In proto3 both mean the same. A message that held nothing but such zeros goes too; an empty one stays.
    """
    result: dict[str, Any] = {}
    for key, value in wanted.items():
        if key not in stored and not isinstance(value, (dict, list)) and not value:
            continue
        if isinstance(value, dict):
            inner = stored.get(key)
            left = without_unset(value, inner if isinstance(inner, Mapping) else {})
            if value and not left and key not in stored:
                continue
            value = left
        result[key] = value
    return result
