"""The type of the objects that adapters and the HTTP layer exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from omni_gateway.omni.types import NEVER, NEVER_UPDATED

RUNNING = "running"
TEARING_DOWN = "tearingDown"


@dataclass(slots=True, weakref_slot=True)
class Resource:
    """One object: the parts that a caller may write, and the back end's metadata.

    ``spec`` is in the back end's own wire form (for Omni: proto field names, enums as numbers, durations as
    ``"3600s"``, timestamps as RFC 3339 text); the plugin's schema turns it into the REST form and back.
    ``version`` increases with each write; ``phase`` is ``running`` or ``tearingDown``; ``owner`` is the controller that
    owns the object, empty for users' objects; ``created`` and ``updated`` are RFC 3339 text or None.
    """

    id: str
    spec: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    namespace: str = "default"
    type: str = ""
    version: int = 1
    phase: str = RUNNING
    owner: str = ""
    created: str | None = None
    updated: str | None = None
    finalizers: tuple[str, ...] = ()
    #: Cached values of :meth:`derived`; None for an object that is not shared and so may change.
    memo: dict[Any, Any] | None = field(default=None, init=False, repr=False, compare=False)

    def shared(self) -> Self:
        """Mark this object as shared, so no longer to be changed in place, and return it."""
        self.memo = {}
        return self

    def derived(self, key: Any, make: Callable[[Resource], Any]) -> Any:
        """Return ``make(self)``; for a shared object the result is cached by ``key`` (None is not)."""
        if self.memo is None:
            return make(self)
        value = self.memo.get(key)
        if value is None:
            value = self.memo[key] = make(self)
        return value

    def member(self, name: str) -> Any:
        """Return a member of the spec, None if it is not set; of a shared object the spec is read once for it."""
        return self.derived(("member", name), lambda each: each.spec.get(name))

    @property
    def tearing_down(self) -> bool:
        """True if the back end is removing the object; such an object cannot be written."""
        return self.phase == TEARING_DOWN

    @classmethod
    def from_omni(cls, body: Mapping[str, Any]) -> Resource:
        """Return the object of a parsed JSON body of Omni's ``omni.resources.ResourceService``."""
        metadata = body["metadata"]
        updated = metadata.get("updated")
        return cls(
            id=metadata["id"],
            spec=body.get("spec") or {},
            labels=metadata.get("labels") or {},
            annotations=metadata.get("annotations") or {},
            namespace=metadata.get("namespace", ""),
            type=metadata.get("type", ""),
            version=int(metadata.get("version", 0)),
            phase=metadata.get("phase", RUNNING),
            owner=metadata.get("owner") or "",
            created=metadata.get("created"),
            updated=None if updated in NEVER_UPDATED else updated,
            finalizers=tuple(metadata.get("finalizers") or ()),
        )

    def to_omni(self) -> dict[str, Any]:
        """Return the object in Omni's form, with its metadata: an update replaces the finalizers too."""
        metadata: dict[str, Any] = {
            "namespace": self.namespace,
            "type": self.type,
            "id": self.id,
            "version": self.version,
            "owner": self.owner,
            "phase": self.phase,
            "created": self.created,
            "updated": self.updated or NEVER,
            "finalizers": list(self.finalizers),
            "labels": self.labels,
            "annotations": self.annotations,
        }
        return {"metadata": metadata, "spec": self.spec}
