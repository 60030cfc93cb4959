"""Plugin discovery, by the entry-point group ``omni_gateway.resources`` only.

Built-in plugins are found like any other. A failure is reported in one message with the distribution, the entry point
and the cause.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from omni_gateway.sdk import SDK_VERSION
from omni_gateway.sdk.actions import PluginError, ServicePlugin

GROUP = "omni_gateway.resources"
#: The distribution of the gateway and its built-in plugins.
OWN_DISTRIBUTION = "omni-gateway"

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
    problem: str = ""

    @property
    def third_party(self) -> bool:
        """Return whether it is of another distribution than the gateway's."""
        return self.distribution != OWN_DISTRIBUTION

    def without_plugin(self, problem: str) -> Found:
        """Return the entry as one whose plugin is left out because of ``problem``."""
        return replace(self, state="broken", plugin=None, problem=problem)

    def __str__(self) -> str:
        return f"plugin {self.entry_point!r} ({self.target}) of {self.distribution} {self.version}"


class BrokenPlugin(Exception):
    """A plugin cannot be loaded or mounted; the text names distribution, entry point and cause."""

    def __init__(self, found: Found, cause: str) -> None:
        super().__init__(f"{found}: {cause}")
        self.found = found
        self.cause = cause


def discover(*, disabled: Collection[str] = (), skip_broken: bool = False) -> list[Found]:
    """Load every plugin, sorted by name. Raises :class:`BrokenPlugin` for the first failure unless ``skip_broken``."""
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    found = []
    for point in points:
        result = _load(point, disabled)
        if result.state == "broken" and not skip_broken:
            raise BrokenPlugin(result, result.problem)
        found.append(result)
    return _refuse_twins(found, skip_broken)


def _load(point: EntryPoint, disabled: Collection[str]) -> Found:
    distribution = point.dist.name if point.dist else "unknown distribution"
    version = point.dist.version if point.dist else ""

    def found(state: State, plugin: ServicePlugin | None = None, problem: str = "") -> Found:
        return Found(point.name, point.value, distribution, version, state, plugin, problem)

    if point.name in disabled:
        return found("disabled")
    try:
        plugin = point.load()
    except Exception as error:
        return found("broken", problem=_explain(point, error))
    if not isinstance(plugin, ServicePlugin):
        return found("broken", problem=f"it is a {type(plugin).__name__}, not a ResourcePlugin or ServicePlugin")
    if plugin.name in disabled:
        return found("disabled")
    problem = sdk_mismatch(plugin.sdk)
    return found("broken", problem=problem) if problem else found("loaded", plugin)


def sdk_mismatch(wanted: str) -> str:
    """Return why a plugin written for the SDK range ``wanted`` does not fit this SDK; empty when it does."""
    try:
        fits = SDK_VERSION in SpecifierSet(wanted)
    except InvalidSpecifier:
        return f"its SDK range {wanted!r} cannot be read; write one such as '>=2.0,<3'"
    return "" if fits else f"it was written for the SDK {wanted}, and this is SDK {SDK_VERSION}"


def _explain(point: EntryPoint, error: Exception) -> str:
    """Return why an import failed; often another package of the same name comes first on the path."""
    if isinstance(error, ModuleNotFoundError) and error.name and point.module.startswith(error.name):
        top = importlib.util.find_spec(point.module.split(".")[0])
        if top is not None:
            place = top.origin or list(top.submodule_search_locations or ())
            return f"there is no module {error.name!r}: another package {top.name!r} at {place} hides it"
        return f"there is no module {error.name!r}; is its distribution installed whole?"
    return f"{type(error).__name__}: {error}"


def _refuse_twins(found: Iterable[Found], skip_broken: bool) -> list[Found]:
    """Mark the later of two plugins of one name as broken, or raise :class:`BrokenPlugin` unless ``skip_broken``."""
    names: dict[str, Found] = {}
    checked = []
    for item in found:
        twin = names.get(item.plugin.name) if item.plugin else None
        if item.plugin and twin:
            cause = f"the name {item.plugin.name!r} is taken by {twin}"
            if not skip_broken:
                raise BrokenPlugin(item, cause)
            item = item.without_plugin(cause)
        elif item.plugin:
            names[item.plugin.name] = item
        checked.append(item)
    return checked


def mount_failure(found: Found, error: Exception) -> BrokenPlugin:
    """Return the :class:`BrokenPlugin` for an exception that a plugin's ``register`` raised."""
    text = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    return BrokenPlugin(found, text)
