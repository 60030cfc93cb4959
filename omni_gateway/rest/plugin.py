"""The plugin contract: a resource says what it is, and mounts itself.

A plugin is made once, at import. :class:`ResourcePlugin` turns its declaration into flask-smorest views on its own
blueprint; ``register`` mounts that blueprint on an application. Actions and computed documents are added with the
``action`` and ``computed`` decorators; anything else is an ordinary view on ``plugin.blueprint`` that carries a role
(``omni_gateway.sdk.require``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.auth import Role
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.delete_operation import removal
from omni_gateway.rest.links import LinkMaker
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.parameters import Filter, WriteQuery
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.service_plugin import PluginError, ServicePlugin
from omni_gateway.rest.subresources import SubCollection, SubList, SubResource
from omni_gateway.rest.views import routes
from omni_gateway.rest.views.collection import Collection

VERBS = ("list", "get", "create", "replace", "patch", "delete")
READ: Mapping[str, Role] = {"list": Role.READER, "get": Role.READER}
ADMIN_READ_WRITE: Mapping[str, Role] = dict.fromkeys(VERBS, Role.ADMIN)
READ_WRITE: Mapping[str, Role] = {**READ, **dict.fromkeys(("create", "replace", "patch", "delete"), Role.OPERATOR)}


class ResourcePlugin(ServicePlugin):
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
    :param makes: the operation kind that a POST is answered with (202), where Omni only begins to make the object.
    :param may_find: whether a POST may be answered with an object that was there and is as good (200).
    :param example: a request body, shown in the document (a test sends it).
    :param singleton: the id of the one object there can be; its URL is then the collection's own, and there is no list.
    :param delete_query: the parameters that a DELETE takes, for the adapter's ``delete_with``.
    :param idempotent_create: has no effect any more: every POST takes an ``Idempotency-Key``.
    :param description: what the resource is; the text of its tag in the document.
    """

    collection: Collection

    def __init__(
        self,
        *,
        name: str,
        singular: str,
        schema: type[ResourceSchema],
        adapter: ResourceAdapter,
        roles: Mapping[str, Role],
        sdk: str = ">=2.0,<3",
        filters: Sequence[Filter] = (),
        subresources: Sequence[SubResource | SubList | SubCollection] = (),
        links: Mapping[str, LinkMaker] | None = None,
        operations: Sequence[OperationKind] = (),
        delete_operation: OperationKind | None = None,
        follow_up_operation: OperationKind | None = None,
        create_operation: OperationKind | None = None,
        create_may_return_existing: bool = False,
        example: Mapping[str, Any] | None = None,
        singleton: str = "",
        idempotent_create: bool = False,
        delete_query: type[WriteQuery] = WriteQuery,
        description: str = "",
        import_name: str = __name__,
    ) -> None:
        unknown = set(roles) - set(VERBS)
        if unknown:
            raise PluginError(f"unknown verbs in roles: {', '.join(sorted(unknown))}; verbs are {', '.join(VERBS)}")
        if singleton and "list" in roles:
            raise PluginError("a singleton has no list")
        if delete_operation is None and "delete" in roles:
            delete_operation = removal(name, singular, adapter)
        super().__init__(
            name=name,
            singular=singular,
            adapter=adapter,
            sdk=sdk,
            operations=[*operations, *filter(None, (delete_operation, follow_up_operation, create_operation))],
            description=description,
            import_name=import_name,
        )
        self.roles = dict(roles)
        self.filters: Sequence[Filter] = tuple(filters)
        self.subresources: Sequence[SubResource | SubList | SubCollection] = tuple(subresources)
        self.delete_operation = delete_operation
        self.follow_up_operation = follow_up_operation
        self.create_operation = create_operation
        self.create_may_return_existing = create_may_return_existing
        self.example = example
        self.singleton = singleton
        self.delete_query = delete_query
        self.schema = schema()
        if singleton:
            self.schema.name_the_only(singleton)
        below = {item.name.replace("-", "_"): self._link_below(item.name) for item in self.subresources}
        self.representation = Representation(self.schema, name, {**(links or {}), **below}, singleton=bool(singleton))
        self.collection = Collection(adapter, self.representation, self.filters)
        routes.mount(self)

    def _link_below(self, path: str) -> LinkMaker:
        return lambda resource: f"{self.representation.url(resource.id)}/{path}"
