"""The settings in effect, of the gateway and of its plugins, with where each comes from; secret ones are masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omni_gateway.environment.secret_files import SUFFIX
from omni_gateway.environment.variables import PREFIX, Variable, in_file, variables_of
from omni_gateway.omni.config import KEY_VARIABLES
from omni_gateway.omni.config import VARIABLES as OMNI_VARIABLES
from omni_gateway.plugins.discovery import Found
from omni_gateway.plugins.settings import known_variables, load_plugin_settings
from omni_gateway.rest.plugin_settings import plugin_variables
from omni_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting: its variable, its value as text, a secret one masked, and where that comes from.

    ``source``: ``environment``, ``file`` (of :data:`CONFIG_FILE`), ``secret file`` (at ``path``) or ``default``.
    """

    variable: str
    value: str
    source: str
    path: str = ""
    secret: bool = False

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as JSON members; ``value`` is null where nothing is set, and of a secret that is set ``***``."""
        found = {"variable": self.variable, "source": self.source, "value": self.value or None, "secret": self.secret}
        return {**found, "path": self.path} if self.path else found


def effective_settings(environ: Mapping[str, str], found: Iterable[Found]) -> Iterator[Effective]:
    """Yield the settings in effect: which Omni, the gateway's own, then those of each plugin.

    Raises ``SettingsError`` for the first invalid one.
    """
    found = list(found)
    file = in_file(environ)
    merged = {**file, **environ}

    def effective(variable: str, value: str, *, secret: bool = False, takes_file: bool = False) -> Effective:
        if takes_file and (path := merged.get(variable + SUFFIX)):
            return Effective(variable, value, "secret file", path, secret)
        given = [name for name, texts in (("environment", environ), ("file", file)) if texts.get(variable)]
        return Effective(variable, value, given[0] if given else "default", secret=secret)

    def of(variable: Variable, values: Any) -> Effective:
        value = variable.shown(getattr(values, variable.field.name))
        return effective(variable.name, value, secret=variable.secret, takes_file=variable.takes_file)

    settings = Settings.load(environ)
    for name in OMNI_VARIABLES:
        if name in KEY_VARIABLES:
            given = any(merged.get(each) for each in (name, name + SUFFIX))
            yield effective(name, "***" if given else "", secret=True, takes_file=True)
        elif name.removesuffix(SUFFIX) not in KEY_VARIABLES:
            yield effective(name, merged.get(name, ""))
    for variable in variables_of(Settings, PREFIX):
        yield of(variable, settings)
    known = known_variables(found)
    for item in found:
        values = load_plugin_settings(item, settings.environ, known)
        if item.plugin is not None:
            for variable in plugin_variables(item.plugin.name, item.plugin.settings):
                yield of(variable, values)
