"""Plugin discovery, by the entry-point group ``omni_gateway.resources`` only.

Built-in plugins are found like any other. A failure is reported in one message with the distribution, the entry point
and the cause.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Literal

from omni_gateway.http.openapi.schema_names import SchemaNameTaken
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.plugin_check.at_start import fault_at_start
from omni_gateway.plugin_check.entry_points import GROUP, is_misspelt, misspelt_group
from omni_gateway.plugin_check.package import OWN_DISTRIBUTION, Package
from omni_gateway.plugin_check.rule import Fault
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.sdk.actions import PluginError, ServicePlugin
from omni_gateway.source_place import place_of_error, place_of_module

State = Literal["loaded", "disabled", "broken"]


@dataclass(frozen=True)
class Found:
    """One entry point and its state: loaded, disabled or broken."""

    entry_point: str
    target: str
    distribution: str
    version: str
    state: State
    plugin: ServicePlugin | None = None
    fault: Fault | None = None
    #: The plugin that was loaded and is left out because of its declaration.
    refused: ServicePlugin | None = None

    @property
    def third_party(self) -> bool:
        """Return whether it is of another distribution than the gateway's."""
        return self.distribution != OWN_DISTRIBUTION

    @property
    def problem(self) -> str:
        """Return why the plugin is broken: file and line, what is wrong, how to mend it; empty if it is not."""
        return str(self.fault or "")

    def without_plugin(self, fault: Fault) -> Found:
        """Return the entry as one whose plugin is left out because of ``fault``."""
        return replace(self, state="broken", plugin=None, fault=fault)

    def __str__(self) -> str:
        return f"plugin {self.entry_point!r} ({self.target}) of {self.distribution} {self.version}"


class BrokenPlugin(Exception):
    """A plugin cannot be loaded or mounted; the text names distribution, entry point, file, line and cause."""

    def __init__(self, found: Found, fault: Fault) -> None:
        super().__init__(f"{found}: {fault}")
        self.found = found
        self.fault = fault


def discover(*, disabled: Collection[str] = (), skip_broken: bool = False) -> list[Found]:
    """Load every plugin: the gateway's own ones first, each group sorted by name.

    So no other plugin can take a name from the gateway's. Raises :class:`BrokenPlugin` for the first failure unless
    ``skip_broken``.
    """
    points = entry_points()
    groups = [GROUP, *sorted(group for group in points.groups if is_misspelt(group))]
    wanted = (point for group in groups for point in points.select(group=group))
    package_of = cache(_package_of)  # the name of a distribution is read by parsing all of its metadata
    found = []
    for point in sorted(
        wanted, key=lambda each: (package_of(each.dist).name != OWN_DISTRIBUTION, each.name, each.value)
    ):
        result = load(point, disabled, package=package_of(point.dist))
        if result.fault is not None and not skip_broken:
            raise BrokenPlugin(result, result.fault)
        found.append(result)
    return _refuse_twins(found, skip_broken)


def load(point: EntryPoint, disabled: Collection[str] = (), *, package: Package | None = None) -> Found:
    """Load the plugin of an entry point, and check its declaration.

    :param package: the distribution of the entry point; by default the one that it was installed with.
    """
    if package is None:
        package = _package_of(point.dist)
    found = Found(point.name, point.value, package.name, package.version, "loaded")
    if point.name in disabled:
        return replace(found, state="disabled")
    if point.group != GROUP:
        return found.without_plugin(misspelt_group(point.group, point.value))
    try:
        plugin = point.load()
    except Exception as error:
        place = place_of_error(error, point.module) or place_of_module(point.module)
        return found.without_plugin(Fault(*_explain(point, error), place))
    if not isinstance(plugin, ServicePlugin):
        problem = f"{_described(plugin)}, not a ResourcePlugin or ServicePlugin"
        return found.without_plugin(Fault(problem, "name the variable that holds one", place_of_module(point.module)))
    if plugin.name in disabled:
        return replace(found, state="disabled")
    fault = fault_at_start(Subject(point.name, point.value, plugin, package))
    if fault is not None:
        return replace(found.without_plugin(fault), refused=plugin)
    return replace(found, plugin=plugin)


def _package_of(distribution: Distribution | None) -> Package:
    if distribution is None:
        return Package("unknown distribution", "")
    return Package(distribution.name, distribution.version)


def _described(plugin: object) -> str:
    if isinstance(plugin, type):
        return f"it is the class {plugin.__name__}"
    return f"it is a {type(plugin).__name__}"


def _explain(point: EntryPoint, error: Exception) -> tuple[str, str]:
    """Return why an import failed, and the mend; often another package of the same name comes first on the path."""
    if isinstance(error, PluginError):
        return _problem_and_mend(error)
    if isinstance(error, ModuleNotFoundError) and error.name and point.module.startswith(error.name):
        top = importlib.util.find_spec(point.module.split(".")[0])
        if top is not None:
            place = top.origin or list(top.submodule_search_locations or ())
            return f"there is no module {error.name!r}: another package {top.name!r} at {place} hides it", ""
        return f"there is no module {error.name!r}", "is its distribution installed whole?"
    if isinstance(error, AttributeError) and error.obj is sys.modules.get(point.module):
        near = did_you_mean(point.attr, [name for name in vars(error.obj) if not name.startswith("_")])
        return f"the module has no variable {point.attr!r}", near.removeprefix("; ").removesuffix(".")
    return f"its import raises {type(error).__name__}: {error}", "mend the module"


def _problem_and_mend(error: PluginError | SchemaNameTaken) -> tuple[str, str]:
    problem, _, mend = str(error).partition("; ")
    return problem, mend


def _refuse_twins(found: Iterable[Found], skip_broken: bool) -> list[Found]:
    """Mark the later of two plugins of one name as broken, or raise :class:`BrokenPlugin` unless ``skip_broken``."""
    names: dict[str, Found] = {}
    checked = []
    for item in found:
        twin = names.get(item.plugin.name) if item.plugin else None
        if item.plugin and twin:
            problem = f"the name {item.plugin.name!r} is taken by {twin}"
            fault = Fault(problem, "give the plugin another name", item.plugin.declared_at)
            if not skip_broken:
                raise BrokenPlugin(item, fault)
            item = item.without_plugin(fault)
        elif item.plugin:
            names[item.plugin.name] = item
        checked.append(item)
    return checked


def mount_failure(found: Found, error: Exception) -> BrokenPlugin:
    """Return the :class:`BrokenPlugin` for an exception that a plugin's ``register`` raised."""
    if isinstance(error, PluginError | SchemaNameTaken):
        problem, mend = _problem_and_mend(error)
    else:
        problem, mend = f"{type(error).__name__}: {error}", ""
    return BrokenPlugin(found, Fault(problem, mend, found.plugin.declared_at if found.plugin else None))
