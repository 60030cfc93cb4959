"""What every plugin can do, with or without objects of its own: answer documents, act, mount itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import Flask

from omni_gateway.auth import Role
from omni_gateway.http.api import GatewayApi
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.gateway import Gateway
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.views import action_routes
from omni_gateway.rest.views.collection import Collection

#: What the gateway itself serves below ``/api/v1``, and the names of its own blueprints.
RESERVED_NAMES = frozenset(
    {"apply", "auth/can-i", "document", "health", "index", "metrics", "operation-kinds", "operations", "resources"}
)


class PluginError(Exception):
    """A plugin's declaration is wrong; the text says what."""


class ServicePlugin:
    """Routes under one name that are no resource: computed documents, streams, actions.

    :param name: where its URLs begin below ``/api/v1``, e.g. ``auth/whoami``; unique among the plugins.
    :param singular: the word for it in operationIds; the default is its name.
    :param adapter: what its functions are given; the default one knows Omni's client and nothing else.
    :param sdk: the range of SDK versions this plugin was written for (PEP 440 specifiers).
    :param operations: the kinds of long work it starts.
    :param description: what it is; the text of its tag in the document.
    """

    roles: Mapping[str, Role] = {}
    collection: Collection | None = None

    def __init__(
        self,
        *,
        name: str,
        singular: str = "",
        adapter: ResourceAdapter | None = None,
        sdk: str = ">=2.0,<3",
        operations: Sequence[OperationKind] = (),
        description: str = "",
        import_name: str = __name__,
    ) -> None:
        self.name = name
        self.singular = singular or name
        self.adapter = adapter or ResourceAdapter()
        self.sdk = sdk
        self.operations = tuple(dict.fromkeys(operations))
        self.schema = ResourceSchema()
        self.representation = Representation(self.schema, name, {})
        self.blueprint = GatewayBlueprint(name, import_name, url_prefix=f"{API_PREFIX}/{name}", description=description)

    @property
    def plural_id(self) -> str:
        """Return the plural as it stands in operationIds."""
        return _word(self.name)

    @property
    def singular_id(self) -> str:
        """Return the singular as it stands in operationIds."""
        return _word(self.singular)

    def action(
        self,
        name: str,
        *,
        role: Role,
        summary: str,
        body: type[ma.Schema] | None = None,
        example: Mapping[str, Any] | None = None,
        answers: type[ma.Schema] | None = None,
        operation: bool = False,
        on_collection: bool = False,
        returned_once: Sequence[str] = (),
        cluster_independent: bool = False,
        description: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add ``POST <object>/actions/<name>`` (or ``<collection>/actions/<name>``).

        The function takes ``(adapter, id, body, *, dry_run)`` (no ``id`` on a collection) and returns an ``Answer``:
        ``operation`` says that it is a 202 with an operation, ``answers`` names the schema of a mapping; else it is
        the changed object. ``returned_once`` names members of the answer that are kept nowhere: an answer that is
        repeated under an ``Idempotency-Key`` does not have them. ``anywhere`` opens an action on a collection to
        callers who are held to some clusters: it is about none.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            action_routes.mount_action(
                self,
                function,
                action_routes.Action(
                    name,
                    role,
                    summary,
                    body() if body else None,
                    example,
                    answers,
                    operation,
                    on_collection,
                    frozenset(returned_once),
                    cluster_independent,
                    description,
                ),
            )
            return function

        return decorate

    def computed(
        self,
        path: str,
        *,
        role: Role,
        summary: str,
        answers: type[ma.Schema] | None = None,
        media_type: str | None = None,
        query: type[ma.Schema] | None = None,
        on_collection: bool = False,
        cluster_independent: bool = False,
        description: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add ``GET <object>/<path>`` (or ``<collection>/<path>``) for what no single object of the back end holds.

        The function takes ``(adapter, id, *further path words, query)`` (no ``id`` on a collection) and returns an
        ``Answer``. ``path`` may hold further variables: ``"kubernetes-nodes/<node>"``. ``media_type`` documents a raw
        or streamed answer. ``anywhere``: as for an action.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            action_routes.mount_computed(
                self,
                function,
                action_routes.Computed(
                    path, role, summary, answers, media_type, query, on_collection, cluster_independent, description
                ),
            )
            return function

        return decorate

    def register(self, api: GatewayApi, gateway: Gateway) -> None:
        """Mount this plugin on an application; :class:`PluginError` when its name or an operation kind is taken."""
        if self.name in gateway.plugins or self.name in RESERVED_NAMES:
            raise PluginError(f"the name {self.name!r} is taken")
        for kind in self.operations:
            if kind.name in gateway.operations:
                raise PluginError(f"the operation kind {kind.name!r} is taken by another plugin")
        roles = {kind.name: self._role_of(kind) for kind in self.operations}
        self._refuse_taken_routes(api)
        api.register_blueprint(self.blueprint)
        gateway.plugins[self.name] = self
        gateway.operations.update({kind.name: kind for kind in self.operations})
        gateway.operated_by.update({kind.name: self.adapter for kind in self.operations})
        gateway.operation_roles.update(roles)

    def _role_of(self, kind: OperationKind) -> Role:
        """Return the role that reading an operation takes: its own, or that of the objects that it is about.

        Raises :class:`PluginError` where there is neither.
        """
        readable = [self.roles[verb] for verb in ("get", "list") if verb in self.roles]
        role = kind.role or max(readable, default=None)
        if role is None:
            raise PluginError(f"the operation kind {kind.name!r} needs a role: its plugin has no read to take one from")
        return role

    def _refuse_taken_routes(self, api: GatewayApi) -> None:
        """Flask lets two blueprints share a URL and the first one wins in silence."""
        app: Flask = api.app
        prefix = self.blueprint.url_prefix or ""
        taken = {rule.rule for rule in app.url_map.iter_rules()}
        if any(rule == prefix or rule.startswith(f"{prefix}/") for rule in taken):
            raise PluginError(f"the route {prefix} is taken")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def _word(name: str) -> str:
    return name.replace("-", "_").replace("/", "_")
