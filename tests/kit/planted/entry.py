"""What is known of a planted mistake."""

from __future__ import annotations

from dataclasses import dataclass

from omni_gateway.sdk import ResourcePlugin


@dataclass(frozen=True, slots=True)
class Planted:
    """A plugin with one mistake.

    ``mistake``: what its author did. ``promise``: what callers lose by it. ``found_by``: the names of the kit's checks
    that fail; the first of them is the one that names the promise.
    """

    plugin: ResourcePlugin
    mistake: str
    promise: str
    found_by: tuple[str, ...] = ()
