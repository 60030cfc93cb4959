"""Specs of any type, read and written by the message tables (:mod:`omni_gateway.omni.messages`).

Omni's JSON has proto names, numbers for enums and text for 64-bit integers, and leaves zero values out; omnictl's YAML
has the names without underscores, bytes as lists of numbers, durations and timestamps as messages; people write enums
by name. :func:`to_wire` accepts all of these and returns one form; :func:`to_plain` returns proto names, enum names and
numbers. Specs of a type that the tables do not describe (a newer Omni's) are not changed; Omni validates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omni_gateway.omni import scalars
from omni_gateway.omni.messages import Member, by_folded_name, enum, folded, is_message, members, message_of
from omni_gateway.plain_scalar import value_of, values_in

_WIDE = frozenset({"int64", "uint64"})
#: Bounds the faults of one spec: it may have a hundred thousand values.
_MOST_FAULTS = 50
#: Characters of a caller's own key that a path repeats.
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a spec; ``known`` names the members that there are, for an unknown one."""

    path: str
    text: str
    known: tuple[str, ...] = ()


class SpecError(ValueError):
    """A spec does not match its type's message; ``faults`` has the paths and reasons."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.text}" for fault in faults))
        self.faults = faults


def to_wire(type: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec as Omni's JSON has it: proto names, one form of each value; zero values that are given stay.

    Raises :class:`SpecError` for members that the type does not have, values of another type or out of its range.
    """
    message = message_of(type)
    if message is None:
        return dict(values_in(dict(spec)))
    reader = _Reader()
    result = reader.message(message, spec, "spec")
    if reader.faults:
        raise SpecError(reader.faults)
    return dict(result)


def settled(type: str, spec: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec as Omni would keep it over ``stored``: in Omni's form, without zero values.

    Of two specs that mean the same, both settled over the same one, neither differs from the other. A message that
    holds nothing but zeros is left out where ``stored`` has none; one that is given empty stays. A spec that the
    tables do not know all of is returned as it is.
    """
    message = message_of(type)
    try:
        wire = to_wire(type, spec)
    except SpecError:
        return dict(spec)
    return wire if message is None else _without_zeros(message, wire, stored)


def to_plain(type: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with enums by name and 64-bit integers as numbers."""
    message = message_of(type)
    return dict(spec) if message is None else _message_to_plain(message, spec)


def nameless_enums(type: str, spec: Mapping[str, Any]) -> dict[str, int]:
    """Return, by path, the enum numbers of a wire spec that have no name in the tables."""
    message = message_of(type)
    found: dict[str, int] = {}
    if message is not None:
        _collect_nameless(message, spec, "spec", found)
    return found


class _Reader:
    """Reads one spec and collects what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def message(self, message: str, value: Any, path: str) -> dict[str, Any]:
        """Read an object by a message's members."""
        if not isinstance(value, Mapping):
            self._fault(path, "Must be an object.")
            return {}
        known, by_any_name = members(message), by_folded_name(message)
        result: dict[str, Any] = {}
        seen: dict[str, str] = {}
        for key, item in value.items():
            text = str(key)
            member = known.get(text) or by_any_name.get(folded(text))
            if member is None:
                self._fault(f"{path}.{text[:_SHOWN]}", "Unknown field", tuple(known))
            elif member.name in seen:
                self._fault(f"{path}.{member.name}", f"Given twice, as {seen[member.name]!r} and as {text!r}.")
            elif value_of(item) is not None:
                seen[member.name] = text
                result[member.name] = self._member(member, item, f"{path}.{member.name}")
        return result

    def _member(self, member: Member, value: Any, path: str) -> Any:
        if member.many:
            if not isinstance(value, list):
                self._fault(path, "Must be a list.")
                return []
            return [self._one(member.type, item, f"{path}.{position}") for position, item in enumerate(value)]
        if member.keyed:
            return self._map(member, value, path)
        return self._one(member.type, value, path)

    def _map(self, member: Member, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self._fault(path, "Must be an object.")
            return {}
        result = {}
        for key, item in value.items():
            place = f"{path}.{str(key)[:_SHOWN]}"
            try:
                name = scalars.map_key(member.key_type, key)
            except ValueError as error:
                self._fault(place, f"As a key: {error}")
                continue
            result[name] = self._one(member.type, item, place)
        return result

    def _one(self, type: str, value: Any, path: str) -> Any:
        if value_of(value) is None:
            self._fault(path, "Must not be null.")
            return None
        if is_message(type):
            return self.message(type, value, path)
        try:
            return scalars.read(type, value)
        except ValueError as error:
            self._fault(path, str(error))
            return None

    def _fault(self, path: str, text: str, known: tuple[str, ...] = ()) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(path, text, known))


def _without_zeros(message: str, value: Mapping[str, Any], stored: Any) -> dict[str, Any]:
    before = stored if isinstance(stored, Mapping) else {}
    known = members(message)
    result: dict[str, Any] = {}
    for name, item in value.items():
        member = known[name]
        if is_message(member.type) and (member.many or member.keyed):
            item = _each_without_zeros(member, item, before.get(name))
        elif is_message(member.type):
            rest = _without_zeros(member.type, item, before.get(name))
            if rest or not item or name in before:
                result[name] = rest
            continue
        if item if member.many or member.keyed else not scalars.is_zero(member.type, item):
            result[name] = item
    return result


def _each_without_zeros(member: Member, items: Any, stored: Any) -> Any:
    if member.keyed:
        by_key = stored if isinstance(stored, Mapping) else {}
        return {key: _without_zeros(member.type, item, by_key.get(key)) for key, item in items.items()}
    before = stored if isinstance(stored, list) else []
    padded = [*before, *[None] * (len(items) - len(before))]
    return [_without_zeros(member.type, item, one) for item, one in zip(items, padded, strict=False)]


def _message_to_plain(message: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    known = members(message)
    return {key: _many_to_plain(known[key], item) if key in known else item for key, item in value.items()}


def _many_to_plain(member: Member, value: Any) -> Any:
    if isinstance(value, list):
        return [_one_to_plain(member.type, item) for item in value]
    if member.keyed and isinstance(value, Mapping):
        return {key: _one_to_plain(member.type, item) for key, item in value.items()}
    return _one_to_plain(member.type, value)


def _one_to_plain(type: str, value: Any) -> Any:
    if type in _WIDE and isinstance(value, str):
        return int(value)
    if type.startswith("enum ") and isinstance(value, int):
        return next((name for name, number in enum(type).items() if number == value), value)
    return _message_to_plain(type, value) if is_message(type) else value


def _collect_nameless(message: str, value: Any, path: str, found: dict[str, int]) -> None:
    if not isinstance(value, Mapping):
        return
    known = members(message)
    for name, item in value.items():
        if (member := known.get(name)) is None:
            continue
        if member.many and isinstance(item, list):
            each = [(f"{path}.{name}.{position}", one) for position, one in enumerate(item)]
        elif member.keyed and isinstance(item, Mapping):
            each = [(f"{path}.{name}.{key}", one) for key, one in item.items()]
        else:
            each = [(f"{path}.{name}", item)]
        for place, one in each:
            if is_message(member.type):
                _collect_nameless(member.type, one, place, found)
            elif member.type.startswith("enum ") and isinstance(one, int) and one not in enum(member.type).values():
                found[place] = one
