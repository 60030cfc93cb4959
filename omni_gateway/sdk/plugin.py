"""The plugin contract: a resource says what it is, and mounts itself.

A plugin is made once, at import. :class:`ResourcePlugin` turns its declaration into flask-smorest views on its own
blueprint; ``register`` mounts that blueprint on an application. Actions and computed documents are added with the
``action`` and ``computed`` decorators; anything else is an ordinary view on ``plugin.blueprint`` that carries a role
(``omni_gateway.sdk.require``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import Flask

from omni_gateway.http.api import GatewayApi
from omni_gateway.http.auth import Role
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.sdk.adapter import ResourceAdapter
from omni_gateway.sdk.context import Gateway
from omni_gateway.sdk.links import API_PREFIX, LinkMaker, id_link
from omni_gateway.sdk.operations import OperationKind
from omni_gateway.sdk.query import Filter
from omni_gateway.sdk.removal import removal
from omni_gateway.sdk.representation import Representation
from omni_gateway.sdk.schema import ResourceSchema
from omni_gateway.sdk.subresources import SubCollection, SubList, SubResource
from omni_gateway.sdk.views import declared, extra
from omni_gateway.sdk.views.listing import Collection

VERBS = ("list", "get", "create", "replace", "patch", "delete")
#: What the gateway itself serves below ``/api/v1``, and the names of its own blueprints.
RESERVED_NAMES = frozenset({"document", "health", "index", "operations"})
READ: Mapping[str, Role] = {"list": Role.READER, "get": Role.READER}
READ_WRITE: Mapping[str, Role] = {**READ, **dict.fromkeys(("create", "replace", "patch", "delete"), Role.OPERATOR)}


class PluginError(Exception):
    """A plugin's declaration is wrong; the text says what."""


class ResourcePlugin:
    """One resource of the API.

    :param name: the first word of its URLs, e.g. ``configpatches``; unique among the plugins.
    :param singular: the word for one object, e.g. ``configpatch``; operationIds are made of the two.
    :param schema: the :class:`ResourceSchema` of its objects.
    :param adapter: where the objects are.
    :param roles: verb → role. A verb that is not in it has no route, one that is has a role.
    :param sdk: the range of SDK versions this plugin was written for (PEP 440 specifiers).
    :param filters: its own query parameters on lists.
    :param subresources: what can be read below an object.
    :param links: name → link maker, for ``_links``.
    :param operations: the kinds of long work it starts.
    :param destroys: the operation kind that a DELETE answers with, where the plain one (see :mod:`.removal`) says too
        little.
    :param creates: the operation kind that follows a POST, for objects that take time to come up.
    :param example: a request body, shown in the document (a test sends it).
    :param description: what the resource is; the text of its tag in the document.
    """

    def __init__(
        self,
        *,
        name: str,
        singular: str,
        schema: type[ResourceSchema],
        adapter: ResourceAdapter,
        roles: Mapping[str, Role],
        sdk: str = ">=1.0,<2",
        filters: Sequence[Filter] = (),
        subresources: Sequence[SubResource | SubList | SubCollection] = (),
        links: Mapping[str, LinkMaker] | None = None,
        operations: Sequence[OperationKind] = (),
        destroys: OperationKind | None = None,
        creates: OperationKind | None = None,
        example: Mapping[str, Any] | None = None,
        description: str = "",
        import_name: str = __name__,
    ) -> None:
        unknown = set(roles) - set(VERBS)
        if unknown:
            raise PluginError(f"unknown verbs in roles: {', '.join(sorted(unknown))}; verbs are {', '.join(VERBS)}")
        self.name = name
        self.singular = singular
        self.adapter = adapter
        self.roles = dict(roles)
        self.sdk = sdk
        self.filters = tuple(filters)
        self.subresources = tuple(subresources)
        self.destroys = destroys or removal(name, singular, adapter)
        removes = [self.destroys] if destroys or "delete" in roles else []
        kinds = [*operations, *removes, *([creates] if creates else [])]
        self.operations = tuple(dict.fromkeys(kinds))
        self.creates = creates
        self.example = example
        self.schema = schema()
        below = {item.name.replace("-", "_"): id_link(name, item.name) for item in self.subresources}
        self.representation = Representation(self.schema, name, {**(links or {}), **below})
        self.collection = Collection(adapter, self.representation, self.filters)
        self.blueprint = GatewayBlueprint(name, import_name, url_prefix=f"{API_PREFIX}/{name}", description=description)
        declared.mount(self)

    @property
    def plural_id(self) -> str:
        """Return the plural as it stands in operationIds."""
        return self.name.replace("-", "_")

    @property
    def singular_id(self) -> str:
        """Return the singular as it stands in operationIds."""
        return self.singular.replace("-", "_")

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
        description: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add ``POST <object>/actions/<name>`` (or ``<collection>/actions/<name>``).

        The function takes ``(adapter, id, body, *, dry_run)`` (no ``id`` on a collection) and returns an ``Answer``:
        ``operation`` says that it is a 202 with an operation, ``answers`` names the schema of a mapping; else it is
        the changed object.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            extra.mount_action(
                self,
                function,
                extra.Action(
                    name,
                    role,
                    summary,
                    body() if body else None,
                    example,
                    answers,
                    operation,
                    on_collection,
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
        description: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add ``GET <object>/<path>`` for what no single object of the back end holds.

        The function takes ``(adapter, id, *further path words, query)`` and returns an ``Answer``; ``path`` may hold
        further variables: ``"kubernetes-nodes/<node>"``. ``media_type`` documents a raw or streamed answer.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            extra.mount_computed(
                self, function, extra.Computed(path, role, summary, answers, media_type, query, description)
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
        self._refuse_taken_routes(api)
        api.register_blueprint(self.blueprint)
        gateway.plugins[self.name] = self
        gateway.operations.update({kind.name: kind for kind in self.operations})

    def _refuse_taken_routes(self, api: GatewayApi) -> None:
        """Flask lets two blueprints share a URL and the first one wins in silence."""
        app: Flask = api.app
        prefix = self.blueprint.url_prefix or ""
        taken = {rule.rule for rule in app.url_map.iter_rules()}
        if any(rule == prefix or rule.startswith(f"{prefix}/") for rule in taken):
            raise PluginError(f"the route {prefix} is taken")

    def __repr__(self) -> str:
        return f"ResourcePlugin({self.name!r})"
