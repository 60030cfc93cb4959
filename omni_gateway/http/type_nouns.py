"""Nouns for Omni's types in problem texts: ``cluster 'demo'`` for ``resource Clusters.omni.sidero.dev(default/demo)``.

Omni names an object by its type, namespace, id and sometimes version; callers of a declared resource know it by the
resource's own noun. Types that no resource declares keep Omni's name, and so do all types where the caller speaks of
types: on ``/resources/{type}``, in ``apply``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app, has_request_context, request

EXTENSION = "omni_gateway_type_nouns"

#: Blueprints whose callers name types themselves.
ABOUT_TYPES = frozenset({"resources", "apply", "auth/can-i"})

_TYPE = r"[A-Z][A-Za-z0-9]*\.(?:omni|system)\.sidero\.dev"
#: As the COSI runtime prints an object, as the gateway's own texts do, and a type alone.
_NAMED = re.compile(
    rf"(?:\bresource )?\b(?P<type>{_TYPE})(?:\([^()/]*/(?P<id>[^()]*?)(?:@(?:\d+|undefined))?\)| '(?P<quoted>[^']*)')?"
)


@dataclass(frozen=True, slots=True)
class Noun:
    """How to speak of a type's objects: of one, by its id, and of all."""

    one: Callable[[str], str]
    all: str


class TypeNouns:
    """The nouns of an application's declared resources, by type."""

    def __init__(self) -> None:
        self._nouns: dict[str, Noun] = {}

    def add(self, type: str, noun: Noun) -> None:
        """Add a type that a resource declares; the first noun of a type counts."""
        if type:
            self._nouns.setdefault(type, noun)

    def in_text(self, text: str) -> str:
        """Return a text with nouns instead of the types that are known."""
        return _NAMED.sub(self._noun, text)

    def _noun(self, found: re.Match[str]) -> str:
        noun = self._nouns.get(found["type"])
        if noun is None:
            return found[0]
        id = found["quoted"] if found["id"] is None else found["id"]
        text = noun.all if id is None else noun.one(id)
        starts_sentence = not found.string[: found.start()].strip() or found.string[: found.start()].endswith(". ")
        return text[:1].upper() + text[1:] if starts_sentence else text


def init_app(app: Flask) -> None:
    """Give an application an empty table, which plugins fill as they are mounted."""
    app.extensions[EXTENSION] = TypeNouns()


def nouns_of(app: Flask) -> TypeNouns:
    """Return an application's table."""
    return cast(TypeNouns, app.extensions[EXTENSION])


def in_nouns(text: str) -> str:
    """Return a text for the caller of the current request: with nouns, unless the route is one about types."""
    if ".sidero.dev" not in text or not has_request_context() or request.blueprint in ABOUT_TYPES:
        return text
    return nouns_of(current_app).in_text(text)
