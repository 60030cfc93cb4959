"""Which module has the rules of which type."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Rules

_ALL: tuple[Rules, ...] = ()

REGISTRY: Mapping[str, Rules] = {rules.type: rules for rules in _ALL}
