"""Which types Omni has, by any of the names that people give them."""

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
KEPT_SECONDS = 60.0
#: How long who is not told any is not asked for again.
REFUSED_SECONDS = 5.0
#: Characters of the caller's own text that an answer repeats.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Definition:
    """One type: its full name, the namespace of its objects, what else it is called."""

    type: str
    namespace: str
    display_type: str = ""
    aliases: tuple[str, ...] = ()
    sensitivity: str = ""

    def own_names(self) -> Iterable[str]:
        """Return the names that are its alone, in lower case: the full one and its first word."""
        return {self.type.lower(), self.type.partition(".")[0].lower()}

    def names(self) -> Iterable[str]:
        """Return every name that finds it, in lower case."""
        return {*self.own_names(), *(name.lower() for name in (self.display_type, *self.aliases) if name)}


class Definitions:
    """Omni's ResourceDefinitions, read once a minute at most; they change with Omni's version only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._all: list[Definition] = []
        self._by_name: Mapping[str, Sequence[Definition]] = {}
        #: By the fingerprint of a caller's key, until when (monotonic) it is of no use to ask as that caller.
        self._refused: LRUCache[str, float] = LRUCache(1024)

    def all(self, omni: OmniClient) -> list[Definition]:
        """Return every type that this Omni knows, by name."""
        return self._present(omni)[0]

    def _present(self, omni: OmniClient) -> tuple[list[Definition], Mapping[str, Sequence[Definition]]]:
        with self._lock:
            if time.monotonic() < self._until:
                return self._all, self._by_name
        caller = omni.identity.fingerprint
        if (self._refused.get(caller) or 0.0) > time.monotonic():
            return _known()
        try:
            found = _ordered(_read(omni))
        except OmniError:
            # What one caller may not read, or Omni just now does not tell, is not kept for the others.
            self._refused.put(caller, time.monotonic() + REFUSED_SECONDS)
            return _known()
        with self._lock:
            self._all, self._by_name = found
            self._until = time.monotonic() + KEPT_SECONDS
        return found

    def find(self, omni: OmniClient, name: str) -> Definition:
        """Return the type that ``name`` means: full, short or an alias, in either case.

        Raises a 404 that names near ones, or those that share the alias.
        """
        by_name = self._present(omni)[1]
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
    """Ask Omni for its definitions, by type; raises ``OmniError``."""
    told = (_definition(item["spec"]) for item in omni.resources.list(DEFINITIONS).items)
    return {item.type: item for item in told if item.type}


@cache
def _known() -> tuple[list[Definition], Mapping[str, Sequence[Definition]]]:
    """Return the types that are always there."""
    return _ordered({})


def _ordered(told: Mapping[str, Definition]) -> tuple[list[Definition], Mapping[str, Sequence[Definition]]]:
    """Return the types in their order and by name; those that we know are always there: Omni need not list them all."""
    known = {str(item): _expected(item) for item in vars(types).values() if isinstance(item, OmniType)}
    every = sorted({**known, **told}.values(), key=lambda item: item.type)
    by_name: dict[str, list[Definition]] = {}
    for item in every:
        for name in item.names():
            by_name.setdefault(name, []).append(item)
    # A type's own name means that type, though it be another's alias.
    own = {name: [item] for item in every for name in item.own_names()}
    return every, {**by_name, **own}


def _expected(type: OmniType) -> Definition:
    """Return a type's definition where Omni lists none, with the aliases that Omni gives to a name of its kind."""
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
    """Read a definition; its members are spelled by Go's habits or by proto's."""
    said = {key.replace("_", "").lower(): value for key, value in spec.items()}
    return Definition(
        type=said.get("type", ""),
        namespace=said.get("defaultnamespace") or "default",
        display_type=said.get("displaytype", ""),
        aliases=tuple(said.get("allaliases") or said.get("aliases") or ()),
        sensitivity=said.get("sensitivity") or "",
    )
