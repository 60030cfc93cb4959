"""The input of rules, and functions that several rules share."""

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
    """A write to check; ``existing`` is None for a create."""

    omni: OmniClient
    resource: Resource
    existing: Resource | None

    def find(self, type: str, id: str, namespace: str | None = None) -> Resource | None:
        """Return another object; None if it does not exist or ``id`` is empty."""
        return find(self.omni, type, id, namespace) if id else None

    def text(self, member: str) -> str:
        """Return a text member of the new spec; empty if it is not set."""
        return str(self.resource.spec.get(member) or "")

    def label(self, key: str) -> str:
        """Return a label's value; empty when it is missing."""
        return self.resource.labels.get(key, "")

    def changes(self, member: str) -> bool:
        """Return True if a member differs from that of the existing object, and for a create."""
        return self.existing is None or self.existing.spec.get(member) != self.resource.spec.get(member)


Rule = Callable[[Write], Iterable[str]]


def minor_of(version: str) -> tuple[int, int] | None:
    """Return major and minor of a version; None for an invalid one."""
    match = _VERSION.fullmatch(version)
    return (int(match[1]), int(match[2])) if match else None


def seconds_of(duration: str | None) -> float:
    """Return a duration of Omni's JSON (``"3600s"``) in seconds; 0 for None."""
    return float(duration.removesuffix("s")) if duration else 0.0


def has_control_characters(text: str) -> bool:
    """Return True if a text contains control characters."""
    return any(unicodedata.category(character) == "Cc" for character in text)


def feature(write: Write, name: str) -> Any:
    """Return a member of Omni's FeaturesConfig; None if it is not set."""
    found = write.find(types.FEATURES_CONFIGS, "features-config")
    return found.spec.get(name) if found else None


def members_of(value: Any) -> Mapping[str, Any]:
    """Return a message's members; an empty mapping if it is not set."""
    return value if isinstance(value, Mapping) else {}
