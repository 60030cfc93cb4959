"""The base of all plugins: computed documents, actions and registration on an application."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from flask import Flask
from prometheus_client import CollectorRegistry

from omni_gateway.auth import Role
from omni_gateway.cache.informers import Informers
from omni_gateway.http.api import GatewayApi
from omni_gateway.http.openapi.tags import OTHER, Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.plugin_metrics import Metric
from omni_gateway.http.type_nouns import Noun, nouns_of
from omni_gateway.http.unexpected_errors import origins_of
from omni_gateway.rest import plugin_pages
from omni_gateway.rest.actions import Action, ComputedDocument
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.apply.requests import apply_as_itself
from omni_gateway.rest.change_handler import ChangeHandler
from omni_gateway.rest.errors import PluginError
from omni_gateway.rest.extension import Extension
from omni_gateway.rest.gateway import Gateway
from omni_gateway.rest.health_check import HealthCheck
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.nouns import plural
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.plugin_pages import Page
from omni_gateway.rest.plugin_settings import plugin_variables
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.views.action_routes import action_route, document_route
from omni_gateway.rest.views.collection import Collection
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.route import Route, rule_shape
from omni_gateway.source_place import SourcePlace, place_of_caller
from omni_gateway.store import PluginTables, Tables, TablesError
from omni_gateway.tasks import PluginContext, Task, TaskContext
from omni_gateway.watch.change_follower import ChangeFollower, ObjectChange
from omni_gateway.watch.source import WatchedType

#: Paths of the gateway's own routes below ``/api/v1``, and the names of its own blueprints.
RESERVED_NAMES = frozenset(
    {
        "apply",
        "auth/can-i",
        "document",
        "health",
        "index",
        "metrics",
        "operation-kinds",
        "operations",
        "resources",
        "stream-tickets",
    }
)


class ServicePlugin:
    """Routes under one name that are not a resource: computed documents, streams, actions.

    :param name: the first segments of its URLs below ``/api/v1``, e.g. ``auth/whoami``; unique among the plugins.
    :param singular: the word for it in operationIds; by default its name.
    :param adapter: the adapter that its functions get; by default one with Omni's client only (``adapter.omni``).
    :param sdk: the range of SDK versions this plugin was written for (PEP 440 specifiers).
    :param actions: its actions.
    :param documents: its computed documents.
    :param operations: the kinds of operations that no action starts.
    :param description: a description, for its tag in the OpenAPI document.
    :param group: the group of its tag in the OpenAPI document: one of ``http.openapi.tags.GROUPS``, or of your own.
    :param tag_title: the title of its tag; by default the last word of its name.
    :param example_id: an id in its URLs, for examples in the document.
    :param representation: how objects that its functions return are rendered; by default as objects without fields.
    :param settings: a frozen dataclass of ``omni_gateway.sdk.extensions.setting`` fields, read at the start; adapters
        and tasks have an instance as ``settings``.
    :param tasks: its background tasks.
    :param health_checks: its checks in ``/readyz``.
    :param tables: the tables that it has in the gateway's store, with the migrations that make them.
    :param extensions: the routes that it adds below objects of other plugins.
    :param change_handlers: the functions that are called with changes of Omni's objects.
    :param metrics: its metrics, at ``/metrics``.
    :param pages: its pages for browsers.
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
        actions: Sequence[Action] = (),
        documents: Sequence[ComputedDocument] = (),
        operations: Sequence[OperationKind] = (),
        description: str = "",
        group: str = OTHER,
        tag_title: str = "",
        example_id: str = "",
        representation: Representation | None = None,
        import_name: str = __name__,
        settings: type | None = None,
        tasks: Sequence[Task] = (),
        health_checks: Sequence[HealthCheck] = (),
        tables: Tables | None = None,
        extensions: Sequence[Extension] = (),
        change_handlers: Sequence[ChangeHandler] = (),
        metrics: Sequence[Metric] = (),
        pages: Sequence[Page] = (),
    ) -> None:
        #: Where the plugin is declared, for messages about it.
        self.declared_at: SourcePlace = place_of_caller()
        self.name = name
        self.settings = settings
        self.tasks = tuple(tasks)
        self.health_checks = tuple(health_checks)
        self.tables = tables
        plugin_variables(name, settings)  # raises for a class that is none of settings
        refuse_twins("tasks", [task.name for task in self.tasks])
        refuse_twins("health checks", [check.name for check in self.health_checks])
        self._seen: set[tuple[str, str]] = set()
        self.singular = singular or name
        self.adapter = adapter or ResourceAdapter()
        self.sdk = sdk
        self.actions = tuple(actions)
        self.documents = tuple(documents)
        self.extensions = tuple(extensions)
        self.change_handlers = tuple(change_handlers)
        self.metrics = tuple(metrics)
        self.pages = tuple(pages)
        #: A registry of its own, as one plugin may be made twice in a process.
        self.metrics_registry = CollectorRegistry()
        for metric in self.metrics:
            metric.belong_to(name, self.metrics_registry)
        every_action = [*actions, *(action for extension in extensions for action in extension.actions)]
        started = [action.operation for action in every_action if action.operation is not None]
        self.operations = tuple(dict.fromkeys([*operations, *started]))
        self.representation = representation or Representation(ResourceSchema(), name, {})
        self.schema = self.representation.schema
        self.blueprint = GatewayBlueprint(
            name,
            import_name,
            url_prefix=f"{API_PREFIX}/{name}",
            description=description,
            tag=Tag(group, tag_title, self.noun, example_id or f"my-{self.singular}"),
        )
        for document in self.documents:
            noun = self.plural_id if document.on_collection and document.path else self.singular_id
            self.add(document_route(document, self.adapter, self.representation, noun))
        for action in self.actions:
            noun = self.plural_id if action.on_collection else self.singular_id
            self.add(action_route(action, self.adapter, self.representation, noun))

    def add(self, route: Route) -> None:
        """Add a route to the blueprint.

        Raises :class:`PluginError` for a second one with the same method and URL: it would never be reached, and the
        role that it declares would never be asked for.
        """
        key = (route.method, rule_shape(route.rule))
        if key in self._seen:
            raise PluginError(
                f"the route {route.method} /{self.name}{route.rule} is declared twice, and only the first would be"
                " reached; give one of the two another name"
            )
        self._seen.add(key)
        takes_machine_name = self.adapter.ids_are_machines and "<id>" in route.rule
        add(self.blueprint, replace(route, takes_machine_name=takes_machine_name))

    @property
    def noun(self) -> str:
        """Return the words for one object."""
        return self.singular.replace("-", " ")

    @property
    def plural_id(self) -> str:
        """Return the plural form used in operationIds."""
        return _word(self.name)

    @property
    def singular_id(self) -> str:
        """Return the singular form used in operationIds."""
        return _word(self.singular)

    def register(self, api: GatewayApi, gateway: Gateway) -> None:
        """Mount this plugin on an application.

        Raises :class:`PluginError` if its name, one of its routes, of its operation kinds or of its metrics is taken,
        or if an operation kind has no role.
        """
        if self.name in gateway.plugins or self.name in RESERVED_NAMES:
            raise PluginError(f"the name {self.name!r} is taken; give the plugin another name")
        for kind in self.operations:
            if kind.name in gateway.operations:
                raise PluginError(f"the operation kind {kind.name!r} is taken by another plugin; give it another name")
        for metric in self.metrics:
            if owner := gateway.metrics.get(metric.full_name):
                raise PluginError(f"the metric {metric.full_name} is taken by the plugin {owner!r}; rename it")
        roles = {kind.name: self._role_of(kind) for kind in self.operations}
        self._refuse_taken_routes(api)
        api.register_blueprint(self.blueprint)
        if self.pages:
            api.app.register_blueprint(plugin_pages.blueprint(self.name, self.pages, self.adapter))
        gateway.plugins[self.name] = self
        gateway.owners.update({id(adapter): self.name for adapter in self._adapters()})  # before adapters are bound
        self._register_extensions(gateway, origins_of(api.app).described(self.name))
        for type, noun in self._nouns():
            nouns_of(api.app).add(type, noun)
        gateway.metrics.update({metric.full_name: self.name for metric in self.metrics})
        gateway.operations.update({kind.name: kind for kind in self.operations})
        gateway.operated_by.update({kind.name: self.adapter for kind in self.operations})
        gateway.operation_roles.update(roles)

    def _change_tasks(self, source: str, informers: Informers) -> Iterator[Task]:
        """Yield the background task of each handler of changes."""
        seen: Counter[str] = Counter()
        for handler in self.change_handlers:
            seen[handler.type] += 1
            watched = WatchedType(handler.type, handler.namespace)
            follower = ChangeFollower(source, informers, watched, partial(self._handle_change, handler))
            yield Task(f"changes-{handler.type}-{seen[handler.type]}", follower.run, per=handler.per)

    def _handle_change(self, handler: ChangeHandler, context: TaskContext, change: ObjectChange) -> None:
        handler.handle(context.bound(self.adapter), change)

    def _register_extensions(self, gateway: Gateway, source: str) -> None:
        """Add tables, tasks, health checks and handlers of changes; ``source`` names the plugin in the log."""
        tables = None
        if self.tables is not None:
            try:
                tables = gateway.plugin_tables[self.name] = PluginTables(gateway.store.database, self.name, self.tables)
            except TablesError as error:
                raise PluginError(str(error)) from error
        context = PluginContext(
            gateway.own_omni,
            gateway.store,
            gateway.plugin_settings.get(self.name),
            tables,
            apply=apply_as_itself(gateway),
        )
        for task in (*self.tasks, *self._change_tasks(source, gateway.own_omni.cache)):
            gateway.tasks.add(task, self.name, source, context)
        for check in self.health_checks:
            run = partial(check.run, context)
            gateway.readiness.add(
                f"{self.name}/{check.name}", run, at_start=False, seconds=check.seconds, source=source
            )

    def _adapters(self) -> Iterator[ResourceAdapter]:
        """Yield the adapters of the plugin."""
        yield self.adapter

    def _nouns(self) -> Iterator[tuple[str, Noun]]:
        """Yield the types of the plugin's objects, and their nouns."""
        title = self.singular.replace("-", " ")
        yield self.adapter.type, Noun(lambda id: f"{title} {id!r}", plural(title))

    def _role_of(self, kind: OperationKind) -> Role:
        """Return the role for reading an operation: the kind's own, or else that for reading the plugin's objects.

        Raises :class:`PluginError` if there is neither.
        """
        readable = [self.roles[verb] for verb in ("get", "list") if verb in self.roles]
        role = kind.role or max(readable, default=None)
        if role is None:
            raise PluginError(
                f"the operation kind {kind.name!r} needs a role: its plugin has no read to take one from;"
                " write OperationKind(role=...)"
            )
        return role

    def _refuse_taken_routes(self, api: GatewayApi) -> None:
        """Raise :class:`PluginError` if a URL is taken: Flask would silently serve the first blueprint only."""
        app: Flask = api.app
        prefix = self.blueprint.url_prefix or ""
        taken = {rule.rule for rule in app.url_map.iter_rules()}
        if any(rule == prefix or rule.startswith(f"{prefix}/") for rule in taken):
            raise PluginError(f"the route {prefix} is taken; give the plugin another name")
        for url in (page.url(self.name) for page in self.pages):
            if url in taken:
                raise PluginError(f"the page {url} is taken")
            taken.add(url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def refuse_twins(what: str, names: Sequence[str]) -> None:
    """Raise :class:`PluginError` if two of a plugin's own have one name."""
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise PluginError(f"two {what} of the name {twins[0]!r}")


def _word(name: str) -> str:
    return name.replace("-", "_").replace("/", "_")
