"""What the rules look at: one plugin, its declaration, its source and its package."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from omni_gateway.plugin_check.package import Package
from omni_gateway.plugin_check.source import Module, modules_of
from omni_gateway.sdk import ResourceAdapter, ResourcePlugin, ResourceSchema, SubResource
from omni_gateway.sdk.actions import Action, ComputedDocument, ServicePlugin, SubCollection, SubList
from omni_gateway.source_place import SourcePlace, place_of_module


class Skipped(Exception):
    """A rule cannot look: what it needs is not there. The text says what."""


@dataclass
class Subject:
    """One plugin under check.

    :param entry_point: the name of its entry point.
    :param target: the entry point's value, ``module:variable``.
    :param plugin: the plugin; None if it could not be loaded.
    :param package: the distribution that it is in.
    :param problem: why it could not be loaded or mounted; empty if it could.
    :param mend: how to mend that.
    :param problem_at: where that is.
    :param others: the other plugins by name.
    """

    entry_point: str
    target: str
    plugin: ServicePlugin | None
    package: Package
    problem: str = ""
    mend: str = ""
    problem_at: SourcePlace | None = None
    others: Mapping[str, ServicePlugin] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the plugin's name, or else that of its entry point."""
        return self.plugin.name if self.plugin is not None else self.entry_point

    @property
    def service(self) -> ServicePlugin:
        """Return the plugin. Raises :class:`Skipped` if there is none."""
        if self.plugin is None:
            raise Skipped("the plugin cannot be loaded")
        return self.plugin

    @property
    def resource(self) -> ResourcePlugin:
        """Return the plugin, if it is one of objects. Raises :class:`Skipped` otherwise."""
        if not isinstance(self.service, ResourcePlugin):
            raise Skipped("a service has no objects")
        return self.service

    @property
    def module(self) -> str:
        """Return the name of the module of its entry point."""
        return self.target.partition(":")[0].strip()

    @property
    def place(self) -> SourcePlace:
        """Return where the plugin is declared; its module's file where that is not known."""
        if self.plugin is not None:
            return self.plugin.declared_at
        return self.problem_at or place_of_module(self.module) or SourcePlace(self.module)

    @cached_property
    def modules(self) -> Sequence[Module]:
        """Return the modules of the plugin: those of its package, or the one that it is."""
        found = modules_of(self.module)
        if not found:
            raise Skipped("its source is not there")
        return found

    def argument(self, name: str) -> SourcePlace:
        """Return where an argument of the declaration is given; the declaration itself if it is not found."""
        node = self._argument_node(name)
        return SourcePlace(self.place.file, node.lineno) if node is not None else self.place

    def gives(self, name: str) -> bool | None:
        """Return whether the declaration gives an argument; None if the call is not found in the source."""
        call = self._declaration
        if call is None or any(keyword.arg is None for keyword in call.keywords):
            return None
        return any(keyword.arg == name for keyword in call.keywords)

    def _argument_node(self, name: str) -> ast.keyword | None:
        keywords = self._declaration.keywords if self._declaration is not None else []
        return next((keyword for keyword in keywords if keyword.arg == name), None)

    @cached_property
    def _declaration(self) -> ast.Call | None:
        module = Module.read(self.place.file)
        return module.call_at(self.place.line) if module is not None else None

    @property
    def actions(self) -> list[Action]:
        """Return the plugin's actions, and those that it adds below objects of others."""
        return [*self.service.actions, *(each for part in self.service.extensions for each in part.actions)]

    @property
    def documents(self) -> list[ComputedDocument]:
        """Return the plugin's computed documents, and those that it adds below objects of others."""
        return [*self.service.documents, *(each for part in self.service.extensions for each in part.documents)]

    @property
    def subresources(self) -> list[SubResource | SubList | SubCollection]:
        """Return the plugin's sub-resources, and those that it adds below objects of others."""
        own: Sequence[SubResource | SubList | SubCollection] = getattr(self.service, "subresources", ())
        return [*own, *(each for part in self.service.extensions for each in part.subresources)]

    @cached_property
    def schemas(self) -> Sequence[ShownSchema]:
        """Return the schema of the objects, if the plugin has any, and those of sub-resources."""
        plugin = self.service
        own = [ShownSchema("", plugin.schema, plugin.adapter)] if isinstance(plugin, ResourcePlugin) else []
        subs = [sub for sub in self.subresources if not isinstance(sub, SubCollection)]
        return [*own, *(ShownSchema(sub.name, sub.schema(), sub.adapter) for sub in subs)]


class ShownSchema(NamedTuple):
    """A schema of objects.

    :param subresource: the name of the sub-resource that they are; empty for the plugin's own.
    """

    subresource: str
    schema: ResourceSchema
    adapter: ResourceAdapter
