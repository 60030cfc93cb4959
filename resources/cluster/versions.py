"""Talos and Kubernetes versions: syntax, order, and compatibility.

Compatibility is read from Omni's TalosVersions on each request, so new versions in Omni need no new gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from marshmallow import fields

from omni_gateway.sdk import OmniClient
from omni_gateway.sdk.omni import types

_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,64}))?")
_MAX_NAMED = 12


class Version(fields.String):
    """A version such as ``1.13.7``; a leading ``v`` is removed, since Omni's versions have none."""

    default_error_messages = {"version": "Must be a version such as 1.13.7."}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if not _VERSION.fullmatch(text):
            raise self.make_error("version")
        return text.removeprefix("v")


@dataclass(frozen=True, slots=True, order=True)
class Parsed:
    """A version that can be compared; a pre-release comes before its release."""

    major: int
    minor: int
    patch: int
    released: bool
    pre_release: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """Parse a version, with or without ``v``; an invalid one is older than every other."""
        match = _VERSION.fullmatch(text)
        if match is None:
            return cls(0, 0, 0, False, text)
        major, minor, patch, pre_release = match.groups()
        return cls(int(major), int(minor), int(patch), pre_release is None, pre_release or "")

    @property
    def series(self) -> tuple[int, int]:
        """Return major and minor."""
        return self.major, self.minor


@dataclass(frozen=True, slots=True)
class TalosVersion:
    """A Talos version that Omni knows, and the Kubernetes versions compatible with it."""

    version: str
    kubernetes: tuple[str, ...]
    offered: bool

    @classmethod
    def from_omni(cls, body: Mapping[str, Any]) -> Self:
        """Parse a ``TalosVersions`` object; deprecated, unsupported and enterprise ones are not offered."""
        spec = body.get("spec") or {}
        withheld = any(spec.get(flag) for flag in ("deprecated", "unsupported", "is_enterprise"))
        return cls(body["metadata"]["id"], tuple(spec.get("compatible_kubernetes_versions") or ()), not withheld)


class Catalogue:
    """The Talos versions that Omni knows now."""

    def __init__(self, known: Iterable[TalosVersion]) -> None:
        self._known = {item.version: item for item in known}

    @classmethod
    def read(cls, omni: OmniClient) -> Self:
        """Read the versions from Omni; 1 call."""
        return cls(TalosVersion.from_omni(item) for item in omni.resources.list(types.TALOS_VERSIONS, "default").items)

    def newest_talos(self, kubernetes: str | None) -> str | None:
        """Return the newest offered release, compatible with ``kubernetes`` if given; None if there is none."""
        fitting = (
            item.version
            for item in self._known.values()
            if item.offered and (kubernetes in item.kubernetes if kubernetes else _releases(item.kubernetes))
        )
        return _newest(fitting)

    def newest_kubernetes(self, talos: str) -> str | None:
        """Return the newest Kubernetes release compatible with a Talos version; None if there is none."""
        known = self._known.get(talos)
        return _newest(known.kubernetes) if known else None

    def problems(self, talos: str, kubernetes: str) -> dict[str, list[str]]:
        """Return the errors of a pair of versions, field name → messages; empty if they are compatible."""
        known = self._known.get(talos)
        if known is None:
            offered = (item.version for item in self._known.values() if item.offered)
            return {"talos_version": [f"Omni knows no Talos {talos}; it offers {listed(offered)}."]}
        if kubernetes not in known.kubernetes:
            text = f"Kubernetes {kubernetes} does not go with Talos {talos}; these do: {listed(known.kubernetes)}."
            return {"kubernetes_version": [text]}
        return {}


def _releases(versions: Iterable[str]) -> list[str]:
    return [version for version in versions if Parsed.of(version).released]


def _newest(versions: Iterable[str]) -> str | None:
    return max(_releases(versions), key=Parsed.of, default=None)


def newest_upgrade(offered: Iterable[str], running: str | None) -> str:
    """Return the newest offered release; empty if none is newer than the running version."""
    newest = _newest(offered)
    return newest if newest and Parsed.of(newest) > Parsed.of(running or "") else ""


def listed(versions: Iterable[str]) -> str:
    """Format versions for a message, newest first, at most ``_MAX_NAMED`` of them."""
    ordered = sorted(versions, key=Parsed.of, reverse=True)
    text = ", ".join(ordered[:_MAX_NAMED]) or "none"
    return f"{text} and {len(ordered) - _MAX_NAMED} older" if len(ordered) > _MAX_NAMED else text
