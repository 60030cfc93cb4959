"""The plugin contract: :class:`ResourcePlugin`, the declaration of a resource.

A plugin is made once, at import. :class:`ResourcePlugin` turns its declaration into flask-smorest views on its own
blueprint; ``register`` mounts that blueprint on an application. Any other route is an ordinary view on
``plugin.blueprint`` that is guarded by ``omni_gateway.sdk.require_role``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.auth import Role
from omni_gateway.rest.actions import Action, ComputedDocument
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

    :param name: the first segment of its URLs, e.g. ``configpatches``; unique among the plugins.
    :param singular: the word for one object, e.g. ``configpatch``; operationIds are built from both.
    :param schema: the :class:`ResourceSchema` of its objects.
    :param adapter: the :class:`ResourceAdapter` of its back end.
    :param roles: verb → role that a caller needs. A verb without an entry has no route.
    :param sdk: the range of SDK versions this plugin was written for (PEP 440 specifiers).
    :param filters: the resource's own query parameters on lists.
    :param subresources: the sub-resources of each object.
    :param links: name → link maker, for ``_links``.
    :param actions: its actions.
    :param documents: its computed documents.
    :param operations: the kinds of operations that neither an action nor a verb starts.
    :param delete_operation: the operation kind that a DELETE returns; the default (:mod:`.delete_operation`) shows the
        finalizers of the object.
    :param follow_up_operation: the operation kind that shows how a new object comes up; a POST (201) then has an
        ``Operation-Location`` header.
    :param create_operation: the operation kind that a POST returns (202), where Omni creates the object later.
    :param create_may_return_existing: whether a POST may respond 200 with an equal existing object.
    :param example: a request body, shown in the OpenAPI document (a test sends it).
    :param singleton: the id of the only object; its URL is then the collection's own, and there is no list.
    :param delete_query: the query parameters of a DELETE, passed to the adapter's ``delete_with``.
    :param description: a description of the resource, for its tag in the OpenAPI document.

    Raises :class:`PluginError` for an unknown verb in ``roles`` and for a singleton with ``list``.
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
        actions: Sequence[Action] = (),
        documents: Sequence[ComputedDocument] = (),
        operations: Sequence[OperationKind] = (),
        delete_operation: OperationKind | None = None,
        follow_up_operation: OperationKind | None = None,
        create_operation: OperationKind | None = None,
        create_may_return_existing: bool = False,
        example: Mapping[str, Any] | None = None,
        singleton: str = "",
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
        objects = schema()
        if singleton:
            objects.fix_id(singleton)
        sub_links = {item.name.replace("-", "_"): self._subresource_link(item.name) for item in subresources}
        super().__init__(
            name=name,
            singular=singular,
            adapter=adapter,
            sdk=sdk,
            actions=actions,
            documents=documents,
            operations=[*operations, *filter(None, (delete_operation, follow_up_operation, create_operation))],
            description=description,
            representation=Representation(objects, name, {**(links or {}), **sub_links}, singleton=bool(singleton)),
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
        self.collection = Collection(adapter, self.representation, self.filters)
        routes.mount(self)

    def _subresource_link(self, path: str) -> LinkMaker:
        return lambda resource: f"{self.representation.url(resource.id)}/{path}"
