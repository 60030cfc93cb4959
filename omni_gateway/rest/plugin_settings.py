"""The settings of a plugin: a dataclass with variables named after the plugin, ``OMNI_GATEWAY_<PLUGIN>_<FIELD>``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from omni_gateway.environment.variables import PREFIX, SettingsError, Variable, variables_of

#: Kubernetes sets variables of these names for each Service of a namespace.
OF_SERVICES = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$")


def prefix_of(plugin: str) -> str:
    """Return the beginning of the variables of a plugin of this name."""
    return f"{PREFIX}{re.sub(r'[^A-Z0-9]', '_', plugin.upper())}_"


def plugin_variables(plugin: str, cls: type | None) -> Sequence[Variable]:
    """Return the variables of a plugin. Raises :class:`SettingsError` for a class that is none of settings."""
    return variables_of(cls, prefix_of(plugin)) if cls is not None else ()


def load(plugin: str, cls: type | None, environ: Mapping[str, str], others: Collection[str]) -> Any:
    """Return an instance of a plugin's settings, None without any; raise :class:`SettingsError` for what is wrong.

    :param others: the variables of the gateway and of other plugins; a name may not be of two.
    """
    if cls is None:
        return None
    variables = plugin_variables(plugin, cls)
    names = [name for each in variables for name in each.names]
    if taken := sorted(set(names) & set(others)):
        raise SettingsError(f"{taken[0]} is the name of another setting too; rename the field")
    prefix = prefix_of(plugin)
    for name in sorted(environ):
        if name.startswith(prefix) and name not in names and name not in others and not OF_SERVICES.search(name):
            own = [each.removeprefix(prefix) for each in names]  # the prefix alone would make all names alike
            near = difflib.get_close_matches(name.removeprefix(prefix), own, n=1)
            all_of_them = ", ".join(each.name for each in variables)
            advice = f"did you mean {prefix}{near[0]}?" if near else f"those of the plugin are {all_of_them}"
            raise SettingsError(f"{name} is not a setting of the plugin {plugin!r}; {advice}")
    return cls(**{each.field.name: each.read(environ) for each in variables})
