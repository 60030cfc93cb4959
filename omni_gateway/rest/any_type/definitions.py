"""Omni's resource definitions: its types, by full name, short name or alias."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from omni_gateway.http.concealment import PlainNotFound
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.lru import LRUCache
from omni_gateway.omni import OmniClient, OmniError, messages, types
from omni_gateway.omni.types import OmniType

DEFINITIONS = OmniType("ResourceDefinitions.meta.cosi.dev", "meta")
CACHE_SECONDS = 60.0
#: Seconds after a failed read during which the definitions are not read again as the same caller.
FAILURE_SECONDS = 5.0
#: Characters of the caller's own text that a response repeats.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Definition:
    """One type: its full name, the namespace of its objects and its other names."""

    type: str
    namespace: str
    display_type: str = ""
    aliases: tuple[str, ...] = ()
    sensitivity: str = ""

    def own_names(self) -> Iterable[str]:
        """Return its own names, in lower case: the full one and its first word."""
        return {self.type.lower(), self.type.partition(".")[0].lower()}

    def names(self) -> Iterable[str]:
        """Return every name that it can be found by, in lower case."""
        return {*self.own_names(), *(name.lower() for name in (self.display_type, *self.aliases) if name)}


class Definitions:
    """Omni's ResourceDefinitions, cached for a minute; they change with Omni's version only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._all: list[Definition] = []
        self._by_name: Mapping[str, Sequence[Definition]] = {}
        #: Fingerprint of a caller's key → monotonic time until which the definitions are not read as that caller.
        self._failed_until: LRUCache[str, float] = LRUCache(1024)

    def all(self, omni: OmniClient) -> list[Definition]:
        """Return every type of this Omni, sorted by name."""
        return self._current(omni)[0]

    def _current(self, omni: OmniClient) -> tuple[list[Definition], Mapping[str, Sequence[Definition]]]:
        with self._lock:
            if time.monotonic() < self._until:
                return self._all, self._by_name
        caller = omni.identity.fingerprint
        if (self._failed_until.get(caller) or 0.0) > time.monotonic():
            return _known()
        try:
            found = _ordered(_read(omni))
        except OmniError:
            # The failure is cached for this caller only: another one may be allowed to read the definitions.
            self._failed_until.put(caller, time.monotonic() + FAILURE_SECONDS)
            return _known()
        with self._lock:
            self._all, self._by_name = found
            self._until = time.monotonic() + CACHE_SECONDS
        return found

    def find(self, omni: OmniClient, name: str) -> Definition:
        """Return the type of a full name, short name or alias, in upper or lower case.

        Raises a 404 problem that names similar types for an unknown name, and all types of an ambiguous one.
        """
        by_name = self._current(omni)[1]
        found = by_name.get(name.lower(), ())
        if len(found) == 1:
            return found[0]
        shown = name[:_SHOWN]
        if found:
            text = f"{shown!r} is short for several types: {', '.join(item.type for item in found)}."
        else:
            text = f"Omni has no resource type {shown!r}{did_you_mean(name.lower(), by_name, most=3)}"
        raise PlainNotFound(text, hint="GET /api/v1/resources lists them.")


def _read(omni: OmniClient) -> Mapping[str, Definition]:
    """Read the definitions from Omni, by type. Raises ``OmniError``."""
    definitions = (_definition(item["spec"]) for item in omni.resources.list(DEFINITIONS).items)
    return {item.type: item for item in definitions if item.type}


@cache
def _known() -> tuple[list[Definition], Mapping[str, Sequence[Definition]]]:
    """Return the types that the gateway knows without Omni."""
    return _ordered({})


def _ordered(listed: Mapping[str, Definition]) -> tuple[list[Definition], Mapping[str, Sequence[Definition]]]:
    """Return all types, sorted, and by name: those that Omni lists, and those that the gateway knows.

    Omni does not list all of its types.
    """
    known = {str(item): _expected(item) for item in vars(types).values() if isinstance(item, OmniType)}
    every = sorted({**known, **listed}.values(), key=lambda item: item.type)
    by_name: dict[str, list[Definition]] = {}
    for item in every:
        for name in item.names():
            by_name.setdefault(name, []).append(item)
    # A type's own name always finds that type, even if it is another type's alias.
    own = {name: [item] for item in every for name in item.own_names()}
    return every, {**by_name, **own}


def _expected(type: OmniType) -> Definition:
    """Return the definition of a type that Omni does not list, with the aliases that Omni derives from such a name."""
    plural = type.partition(".")[0]
    one = messages.singular(type)
    capitals = "".join(filter(str.isupper, plural)).lower()
    words = type.split(".")
    aliases = [".".join(words[:end]).lower() for end in range(2, len(words))]
    if one:
        aliases.append(one.lower())
    if len(capitals) > 1:
        aliases += [capitals] if capitals.endswith("s") else [capitals, f"{capitals}s"]
    return Definition(type, type.namespace, one, tuple(aliases))


def _definition(spec: Mapping[str, Any]) -> Definition:
    """Return the definition of a spec, whose members may be spelled as in Go or as in proto."""
    members = {key.replace("_", "").lower(): value for key, value in spec.items()}
    return Definition(
        type=members.get("type", ""),
        namespace=members.get("defaultnamespace") or "default",
        display_type=members.get("displaytype", ""),
        aliases=tuple(members.get("allaliases") or members.get("aliases") or ()),
        sensitivity=members.get("sensitivity") or "",
    )
