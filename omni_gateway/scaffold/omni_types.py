"""Omni's resource types for authors of plugins: their fields, what callers may write, which plugin serves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.omni import messages
from omni_gateway.omni import types as omni_types
from omni_gateway.plugins.discovery import discover
from omni_gateway.rest.service_plugin import ServicePlugin
from omni_gateway.rest.subresources import SubList, SubResource
from omni_gateway.scaffold.answers import WrongAnswer
from omni_gateway.scaffold.schema_source import snake

#: Omni's words for its verbs, in the order in which they are shown.
_VERBS = ("create", "update", "destroy")


@dataclass(frozen=True, slots=True)
class TypeField:
    """A field of a type's spec; ``fields`` are those of a message."""

    name: str
    kind: str
    fields: tuple[TypeField, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the field as JSON."""
        inner = {"fields": [field.as_json() for field in self.fields]} if self.fields else {}
        return {"name": self.name, "kind": self.kind, **inner}


@dataclass(frozen=True, slots=True)
class OmniTypeEntry:
    """One type: what callers may do with its objects, the names of the plugins that serve it, and its fields.

    ``fields`` is None for a type whose message the tables do not have.
    """

    name: str
    singular: str
    namespace: str
    verbs: tuple[str, ...]
    plugins: tuple[str, ...]
    fields: tuple[TypeField, ...] | None

    def as_json(self) -> dict[str, Any]:
        """Return the type as JSON."""
        return {
            "type": self.name,
            "singular": self.singular,
            "namespace": self.namespace,
            "verbs": list(self.verbs),
            "plugins": list(self.plugins),
            "fields": None if self.fields is None else [field.as_json() for field in self.fields],
        }


def entries(plugins: Iterable[ServicePlugin]) -> list[OmniTypeEntry]:
    """Return all types by name; ``plugins`` are those that may serve them."""
    serving: dict[str, list[str]] = {}
    for plugin in plugins:
        for type in dict.fromkeys(_types_of(plugin)):
            serving.setdefault(type, []).append(plugin.name)
    return [_entry(name, serving) for name in sorted(messages.known_types(), key=str.lower)]


def entries_of_installed() -> list[OmniTypeEntry]:
    """Return all types by name, with the installed plugins that serve them; broken ones are left out."""
    return entries(found.plugin for found in discover(skip_broken=True) if found.plugin is not None)


def find_type(text: str) -> str:
    """Return the whole name of a type that is given without its domain or in another case.

    Raises :class:`~omni_gateway.scaffold.answers.WrongAnswer` for a text that names none, with the nearest one.
    """
    names = {name.lower(): name for name in messages.known_types()}
    names |= {name.split(".")[0].lower(): name for name in messages.known_types()}
    if found := names.get(text.lower()):
        return found
    known = [name.split(".")[0] for name in messages.known_types()]
    raise WrongAnswer("--type", f"There is no type {text!r} in Omni{did_you_mean(text.split('.')[0], known)}")


def name_of_type(type: str) -> str:
    """Return a name for a type's plugin: ``grpc-tunnel-configs``."""
    return snake(type.split(".")[0]).replace("_", "-")


def singular_of_type(type: str) -> str:
    """Return a word for one object of a type: ``grpc-tunnel-config``."""
    return snake(messages.singular(type)).replace("_", "-")


def verbs_of(type: str) -> tuple[str, ...]:
    """Return what Omni lets callers do with a type's objects, besides reading: of create, update and destroy."""
    return tuple(verb for verb in _VERBS if verb not in messages.refused_verbs(type))


@cache
def constants() -> Mapping[str, str]:
    """Return the constants of ``omni_gateway.sdk.omni.types`` by the types that they name."""
    return {str(value): name for name, value in vars(omni_types).items() if isinstance(value, omni_types.OmniType)}


def kind_of(member: messages.Member) -> str:
    """Return the kind of a member for people: ``string``, ``list of string``, ``map of string``, ``one of A, B``."""
    one = _KINDS.get(member.type, member.type)
    if member.type.startswith("enum "):
        one = f"one of {', '.join(messages.enum(member.type))}"
    elif messages.is_message(member.type):
        one = "message"
    return f"list of {one}" if member.many else f"map of {one}" if member.keyed else one


_KINDS = {
    "bool": "boolean",
    "google.protobuf.Timestamp": "time",
    "google.protobuf.Duration": "duration",
}


def _entry(name: str, serving: Mapping[str, list[str]]) -> OmniTypeEntry:
    message = messages.message_of(name)
    declared = getattr(omni_types, constants().get(name, ""), name)
    return OmniTypeEntry(
        name,
        messages.singular(name),
        omni_types.namespace_of(declared),
        verbs_of(name),
        tuple(serving.get(name, ())),
        None if message is None else tuple(_fields(message)),
    )


def _fields(message: str) -> Iterator[TypeField]:
    for member in messages.members(message).values():
        inner = tuple(_fields(member.type)) if messages.is_message(member.type) else ()
        yield TypeField(member.name, kind_of(member), inner)


def _types_of(plugin: ServicePlugin) -> Iterator[str]:
    """Yield the types that a plugin serves, alone, below its objects, or as a part of them."""
    yield plugin.adapter.type
    yield from plugin.adapter.other_types
    for sub in getattr(plugin, "subresources", ()):
        if isinstance(sub, (SubResource, SubList)):
            yield sub.adapter.type
