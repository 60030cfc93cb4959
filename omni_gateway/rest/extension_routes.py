"""The routes of a plugin's extensions: checked against the plugin that they extend, and added to an application."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from flask import Flask
from werkzeug.routing import Rule

from omni_gateway.http.api import GatewayApi
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.rest.actions import Action, ComputedDocument
from omni_gateway.rest.errors import PluginError
from omni_gateway.rest.extension import Extension
from omni_gateway.rest.gateway import Gateway
from omni_gateway.rest.plugin import ResourcePlugin
from omni_gateway.rest.service_plugin import ServicePlugin
from omni_gateway.rest.views.action_routes import action_route, document_route
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.route import Route, rule_shape


def extend(plugin: ServicePlugin, api: GatewayApi, gateway: Gateway, disabled: Collection[str]) -> None:
    """Add the routes of a plugin's extensions to an application in which all plugins are registered.

    :param disabled: the plugins that the settings leave out, for the message about one that is missing.

    Raises :class:`PluginError` if an extended plugin is not loaded or has no objects to read, if a route is taken, and
    if a route takes a lower role than reading the object does.
    """
    for extension in plugin.extensions:
        parent = _parent(extension, gateway, disabled)
        name = f"{parent.name}:{plugin.name}"
        if name in api.app.blueprints:
            raise PluginError(f"it extends {parent.name!r} twice; give all routes to one Extension")
        blueprint = GatewayBlueprint(
            name,
            plugin.blueprint.import_name,
            url_prefix=parent.blueprint.url_prefix,
            tag=parent.blueprint.tag,
            extends=parent.name,
            plugin=plugin.name,
        )
        taken = _taken(api.app)
        for route in _routes(extension, plugin, parent):
            _check(route, parent, taken, plugin.name)
            add(blueprint, replace(route, takes_machine_name=parent.adapter.ids_are_machines))
        api.register_blueprint(blueprint)


def _parent(extension: Extension, gateway: Gateway, disabled: Collection[str]) -> ResourcePlugin:
    name = extension.plugin
    parent = gateway.plugins.get(name)
    if parent is None:
        left_out = f"; OMNI_GATEWAY_PLUGINS_DISABLED leaves out: {', '.join(sorted(disabled))}" if disabled else ""
        raise PluginError(f"it extends {name!r}, which is not loaded{left_out}{did_you_mean(name, gateway.plugins)}")
    if not isinstance(parent, ResourcePlugin) or parent.singleton or "get" not in parent.roles:
        raise PluginError(f"it extends {name!r}, which has no objects that are read by their ids")
    routes: Sequence[Action | ComputedDocument] = (*extension.documents, *extension.actions)
    if on_collection := next((route for route in routes if route.on_collection), None):
        raise PluginError(f"it extends {name!r} by {on_collection.summary!r}, which is not below an object")
    return parent


def _routes(extension: Extension, plugin: ServicePlugin, parent: ResourcePlugin) -> Iterator[Route]:
    yield from map(parent.subresource_route, extension.subresources)
    for document in extension.documents:
        yield document_route(document, plugin.adapter, parent.representation, parent.singular_id, parent.adapter)
    for action in extension.actions:
        yield action_route(action, plugin.adapter, parent.representation, parent.singular_id, parent.adapter)


def _check(route: Route, parent: ResourcePlugin, taken: dict[tuple[str, str], str], plugin: str) -> None:
    """Raise :class:`PluginError` for a route that is taken or open to too many, else enter it in ``taken``."""
    url = f"{parent.blueprint.url_prefix}{route.rule}"
    key = (route.method, rule_shape(url))
    if owner := taken.get(key):
        raise PluginError(f"{route.method} {url} is taken by the plugin {owner!r}")
    if route.role < parent.roles["get"]:
        needed = parent.roles["get"].value
        raise PluginError(
            f"{route.method} {url} takes the role {route.role.value}, but reading {parent.name!r} takes {needed}"
        )
    taken[key] = plugin


def _taken(app: Flask) -> dict[tuple[str, str], str]:
    """Return the plugin, or the blueprint of the gateway's own, of each method and URL of an application."""
    return {key: _owner(app, rule) for rule in app.url_map.iter_rules() for key in _keys(rule)}


def _owner(app: Flask, rule: Rule) -> str:
    name = rule.endpoint.rpartition(".")[0]
    return str(getattr(app.blueprints.get(name), "plugin", name))


def _keys(rule: Rule) -> Iterator[tuple[str, str]]:
    return ((method, rule_shape(rule.rule)) for method in rule.methods or ())
