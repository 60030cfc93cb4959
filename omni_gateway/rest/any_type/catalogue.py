"""The types that one application serves, by name; the views of each type are made once."""

from __future__ import annotations

from threading import Lock
from typing import cast

from flask import current_app

from omni_gateway.http.guard import check_role
from omni_gateway.http.problems import Problem
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.any_type.definitions import Definition, Definitions
from omni_gateway.rest.any_type.kinds import OPERATION, Kind, plugin_of, role_for
from omni_gateway.rest.gateway import Gateway, Mounted
from omni_gateway.rest.operations import Operation, OperationKind

EXTENSION = "omni_gateway.catalogue"
#: Types whose objects' ids are secrets, which must not be part of a URL.
_SECRET_IDS = frozenset({types.JOIN_TOKENS, types.JOIN_TOKEN_STATUSES})


class Catalogue:
    """The types that ``/resources`` serves."""

    def __init__(self, gateway: Gateway, omni: OmniClient | None = None) -> None:
        """Create a catalogue; ``omni`` is the client that is asked for types, by default that of the request."""
        self._gateway = gateway
        self._omni = omni
        self._definitions = Definitions()
        self._lock = Lock()
        self._kinds: dict[str, Kind] = {}

    def all(self) -> list[Definition]:
        """Return every type."""
        return self._definitions.all(self._gateway.omni)

    def plugin_of(self, type: str) -> Mounted | None:
        """Return the plugin that serves a type; None if there is none."""
        return plugin_of(self._gateway, type)

    def allowed(self, name: str, verb: str) -> Kind:
        """Return the type of a name, for a request of the current caller.

        Raises 404 for an unknown or ambiguous name, 403 if the caller's role does not allow the verb, and 403 for types
        whose ids are secrets: their own routes identify the objects by a handle.
        """
        definition = self._definitions.find(self._gateway.omni, name)
        check_role(role_for(self._gateway, definition.type, verb), authorized_by_omni=True)
        if definition.type in _SECRET_IDS:
            text = f"The ids of {definition.type} are secrets."
            raise Problem(403, "forbidden", text, hint="GET /api/v1/join-tokens identifies them by a handle.")
        return self._kind(definition)

    def find(self, name: str) -> Kind:
        """Return the type of a name, without a check of the caller. Raises 404 for an unknown or ambiguous name."""
        return self._kind(self._definitions.find(self._omni or self._gateway.omni, name))

    def removal(self) -> OperationKind:
        """Return the operation kind for removals of objects of any type; operation ids are ``<type>/<id>``."""

        def read(omni: OmniClient, id: str) -> Operation:
            type, _, name = id.partition("/")
            if not name:
                raise Problem(404, "not-found", f"{id!r} is not the id of a removal, which is <type>/<id>.")
            return self.allowed(type, "get").destroy.read(omni, name)

        return OperationKind(OPERATION, read, "An object of any type being removed; the id is `<type>/<id>`")

    def _kind(self, definition: Definition) -> Kind:
        with self._lock:
            if definition.type not in self._kinds:
                self._kinds[definition.type] = Kind(definition, self.plugin_of(definition.type))
            return self._kinds[definition.type]


def current_catalogue() -> Catalogue:
    """Return the catalogue of the application that serves this request."""
    return cast(Catalogue, current_app.extensions[EXTENSION])
