"""The group of entry points that plugins are found by, and groups that are meant to be it."""

from __future__ import annotations

import difflib

from omni_gateway.plugin_check.rule import Fault
from omni_gateway.source_place import SourcePlace, place_of_module

GROUP = "omni_gateway.resources"
#: The groups that the gateway reads.
_KNOWN = frozenset({GROUP, "omni_gateway.commands"})
#: The least similarity of a group that is meant to be :data:`GROUP`.
_NEAR = 0.9


def is_misspelt(group: str) -> bool:
    """Return whether a group of entry points is meant to be :data:`GROUP` and is not."""
    if group in _KNOWN:
        return False
    plain = group.lower().replace("-", "_").replace("omnigateway", "omni_gateway")
    is_of_the_gateway = plain.partition(".")[0] == "omni_gateway"
    return is_of_the_gateway or difflib.SequenceMatcher(None, plain, GROUP).ratio() >= _NEAR


def misspelt_group(group: str, target: str) -> Fault:
    """Return the fault of an entry point in a misspelt group."""
    module = target.partition(":")[0].strip()
    return Fault(
        f"its entry point is in the group {group!r}, where no plugin is looked for",
        f"write {GROUP} in its pyproject.toml or setup.cfg, and install it again",
        place_of_module(module) or SourcePlace(module),
    )
