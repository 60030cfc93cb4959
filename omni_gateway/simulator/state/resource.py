"""A resource, and the event of its change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Phase = Literal["running", "tearingDown"]
Kind = Literal["created", "updated", "destroyed"]
Key = tuple[str, str, str]


@dataclass(slots=True)
class Resource:
    """An object of Omni's state.

    ``type`` is the full name (``Clusters.omni.sidero.dev``). ``spec`` holds proto field names in snake case, enums as
    numbers, 64-bit integers as ``int``, bytes as base64, durations as ``"3600s"``, timestamps as RFC 3339; zero values
    may be absent. ``updated`` is None until the first update.
    """

    namespace: str
    type: str
    id: str
    spec: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    version: int = 1
    owner: str = ""
    phase: Phase = "running"
    finalizers: list[str] = field(default_factory=list)
    created: datetime | None = None
    updated: datetime | None = None
    wire_text: str | None = field(default=None, repr=False, compare=False)
    """The JSON text of this very version, made on first use; a copy has none."""

    @property
    def key(self) -> Key:
        """The key of the object: namespace, type, id."""
        return (self.namespace, self.type, self.id)

    def copy(self) -> Resource:
        """Return a deep copy, free to be changed."""
        return Resource(
            self.namespace,
            self.type,
            self.id,
            _copied(self.spec),
            self.labels.copy(),
            self.annotations.copy(),
            self.version,
            self.owner,
            self.phase,
            self.finalizers.copy(),
            self.created,
            self.updated,
        )


@dataclass(frozen=True)
class Event:
    """A change of one object: ``new`` is its state now, or the last one when it is destroyed; both are read-only."""

    kind: Kind
    new: Resource
    old: Resource | None = None


_DEEP = frozenset({dict, list})


def _copied(value: Any) -> Any:
    """Copy JSON data; much quicker than ``copy.deepcopy``, which looks for cycles that JSON cannot have."""
    if type(value) is dict:
        copied = value.copy()
        for key, item in value.items():
            if type(item) in _DEEP:
                copied[key] = _copied(item)
        return copied
    if type(value) is list:
        return [_copied(item) if type(item) in _DEEP else item for item in value]
    return value
