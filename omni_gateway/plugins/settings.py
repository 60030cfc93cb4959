"""The settings of the plugins that were found, and which variables are settings of which plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from omni_gateway.environment.variables import PREFIX, variables_of
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest import plugin_settings
from omni_gateway.rest.plugin_settings import plugin_variables
from omni_gateway.settings import Settings


def known_variables(found: Iterable[Found]) -> Mapping[str, str]:
    """Return the variables of all settings with the plugin that each is of, empty for the gateway's own."""
    plugins = [item.plugin for item in found if item.plugin is not None]
    of_plugins = {
        name: plugin.name
        for plugin in plugins
        for each in plugin_variables(plugin.name, plugin.settings)
        for name in each.names
    }
    return {**of_plugins, **{name: "" for each in variables_of(Settings, PREFIX) for name in each.names}}


def load_plugin_settings(item: Found, environ: Mapping[str, str], known: Mapping[str, str]) -> Any:
    """Return the settings of a plugin, None if it has none; raise ``SettingsError``."""
    if item.plugin is None:
        return None
    others = [variable for variable, owner in known.items() if owner != item.plugin.name]
    return plugin_settings.load(item.plugin.name, item.plugin.settings, environ, others)
