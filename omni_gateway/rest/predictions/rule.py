"""What a rule is given, and what several rules share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from omni_gateway.model.lookup import find
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types

_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, slots=True)
class Write:
    """A write that is to be judged; ``existing`` is None for a create."""

    omni: OmniClient
    resource: Resource
    existing: Resource | None

    def find(self, type: str, id: str, namespace: str | None = None) -> Resource | None:
        """Return another object; None when there is none."""
        return find(self.omni, type, id, namespace) if id else None

    def text(self, member: str) -> str:
        """Return a text of the new spec."""
        return str(self.resource.spec.get(member) or "")

    def label(self, key: str) -> str:
        """Return a label's value; empty when it is missing."""
        return self.resource.labels.get(key, "")

    def changes(self, member: str) -> bool:
        """Whether a member differs from what is there; true of a create."""
        return self.existing is None or self.existing.spec.get(member) != self.resource.spec.get(member)


Rule = Callable[[Write], Iterable[str]]


def minor_of(version: str) -> tuple[int, int] | None:
    """Return major and minor of a version; None of a text that is none."""
    match = _VERSION.fullmatch(version)
    return (int(match[1]), int(match[2])) if match else None


def seconds_of(duration: str | None) -> float:
    """Return a wire duration in seconds; 0 where there is none."""
    return float(duration.removesuffix("s")) if duration else 0.0


def has_control_characters(text: str) -> bool:
    """Whether a text holds control characters."""
    return any(unicodedata.category(character) == "Cc" for character in text)


def feature(write: Write, name: str) -> Any:
    """Return a member of Omni's own features; None where it is not set."""
    found = write.find(types.FEATURES_CONFIGS, "features-config")
    return found.spec.get(name) if found else None


def members_of(value: Any) -> Mapping[str, Any]:
    """Return a message's members; none where it is not set."""
    return value if isinstance(value, Mapping) else {}
