"""Zeros that nobody set are not written."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.rest.unset import without_unset


@pytest.mark.parametrize(
    ("wanted", "stored", "written"),
    [
        ({"a": False, "b": 0, "c": ""}, {}, {}),
        ({"a": False}, {"a": True}, {"a": False}),
        ({"a": True, "b": 1, "c": "x"}, {}, {"a": True, "b": 1, "c": "x"}),
        ({"m": {"a": False, "b": True}}, {}, {"m": {"b": True}}),
        ({"m": {"a": False}}, {}, {}),
        ({"m": {"a": False}}, {"m": {"a": True}}, {"m": {"a": False}}),
        ({"m": {}}, {}, {"m": {}}),
        ({"l": []}, {}, {"l": []}),
    ],
)
def test_only_zeros_over_nothing_are_left_out(
    wanted: dict[str, Any], stored: dict[str, Any], written: dict[str, Any]
) -> None:
    assert without_unset(wanted, stored) == written
