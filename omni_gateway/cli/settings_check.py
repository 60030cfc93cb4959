"""Whether the settings would do: values that are refused, and variables that are no settings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from omni_gateway.environment.variables import CONFIG_FILE, PREFIX, in_file, variables_of
from omni_gateway.omni.config import VARIABLES as OMNI_VARIABLES
from omni_gateway.plugins.discovery import Found
from omni_gateway.plugins.settings import known_variables, load_plugin_settings
from omni_gateway.rest.plugin_settings import OF_SERVICES, prefix_of
from omni_gateway.server.start_checks import check_tls
from omni_gateway.server.unauthenticated_bind import check_exposure
from omni_gateway.settings import Settings, SettingsError

#: Least similarity of the name of a setting, for it to be named beside an unknown one; and of one that may not be meant
#: for the gateway, to be told at all: other programs of Sidero's have variables too.
_ALIKE, _NEARLY = 0.65, 0.9
_OURS = re.compile(r"OMNI_")
_PERHAPS_OURS = re.compile(r"OMNI|SIDERO")


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A variable that is no setting, and the setting with the nearest name; empty if none is near."""

    variable: str
    nearest: str

    def __str__(self) -> str:
        return f"{self.variable} is not a setting" + (f"; did you mean {self.nearest}?" if self.nearest else "")


def unknown_variables(environ: Mapping[str, str], found: Iterable[Found]) -> Sequence[UnknownVariable]:
    """Return the variables that look like settings and are none, neither of the gateway nor of a plugin.

    Left alone are variables that Kubernetes sets for Services (``OMNI_GATEWAY_PORT``), those of plugins that were not
    loaded, and those below the prefix of a plugin with settings, which refuses what it does not know.
    """
    found = list(found)
    known = {CONFIG_FILE, *OMNI_VARIABLES, *known_variables(found)}
    of_plugins = tuple(
        prefix_of(item.plugin.name if item.plugin else item.entry_point)
        for item in found
        if item.plugin is None or item.plugin.settings is not None
    )
    unknown = []
    for name in sorted({**in_file(environ), **environ}):
        if name in known or OF_SERVICES.search(name) or name.startswith(of_plugins):
            continue
        if _OURS.match(name):
            unknown.append(UnknownVariable(name, _nearest(name, known, _ALIKE)))
        elif _PERHAPS_OURS.match(name) and (nearest := _nearest(name, known, _NEARLY)):
            unknown.append(UnknownVariable(name, nearest))
    return unknown


def _nearest(name: str, known: Collection[str], cutoff: float) -> str:
    """Return the known name that is most like a name; empty if none is. What all begin with makes none alike."""
    prefix = PREFIX if name.startswith(PREFIX) else ""
    endings = [each.removeprefix(prefix) for each in known if each.startswith(prefix)]
    nearest = difflib.get_close_matches(name.removeprefix(prefix), endings, n=1, cutoff=cutoff)
    return prefix + nearest[0] if nearest else ""


def faults(environ: Mapping[str, str], found: Iterable[Found]) -> Sequence[str]:
    """Return what is wrong with the values: of each variable by itself, or else of the settings together."""
    try:
        merged = {**in_file(environ), **environ}
    except SettingsError as error:
        return [str(error)]
    single = list(_single_faults(merged))
    if single:
        return single
    try:
        settings = Settings.load(environ)
        if settings.tls_cert_file:
            check_tls(settings.tls_cert_file, settings.tls_key_file)
        check_exposure(settings.bind, settings)
    except SettingsError as error:
        return [str(error)]
    return list(_plugin_faults(settings.environ, list(found)))


def _single_faults(merged: Mapping[str, str]) -> Iterator[str]:
    for variable in variables_of(Settings, PREFIX):
        try:
            variable.read(merged)
        except SettingsError as error:
            yield str(error)


def _plugin_faults(environ: Mapping[str, str], found: Sequence[Found]) -> Iterator[str]:
    known = known_variables(found)
    for item in found:
        if item.state == "broken":
            yield f"{item}: {item.problem}"
        try:
            load_plugin_settings(item, environ, known)
        except SettingsError as error:
            yield f"{item}: {error}"
