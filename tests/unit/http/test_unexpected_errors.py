"""Which plugin is behind an exception."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from omni_gateway.http.unexpected_errors import PluginOrigin, PluginOrigins

RACKS = PluginOrigin("racks", "acme-racks", "1.0", "acme.racks.declaration")
POOLS = PluginOrigin("pools", "acme-pools", "1.0", "acme.pools")
LEASES = PluginOrigin("leases", "acme-pools", "1.0", "acme.pools")


def error_through(modules: Sequence[str]) -> Exception:
    """An exception whose traceback has a frame of each of these modules, the last one raising."""
    names = {"modules": list(modules)}
    source = "def run(left):\n    return call(left) if left else 1 / 0\n"

    def call(left: list[str]) -> object:
        space = {"__name__": left[0], "call": call}
        exec(compile(source, left[0], "exec"), space)
        return space["run"](left[1:])  # type: ignore[operator]

    try:
        call(names["modules"])
    except ZeroDivisionError as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("modules", "blueprints", "plugin"),
    [
        (["omni_gateway.rest.views.item", "acme.racks.adapter"], [], "racks"),
        (["acme.racks.adapter", "omni_gateway.omni.resources"], [], "racks"),
        (["acme.racks.adapter", "acme.pools.adapter"], ["racks"], "pools"),
        (["acme.pools.adapter"], ["leases"], "leases"),
        (["omni_gateway.rest.serializer"], ["racks"], "racks"),
        (["omni_gateway.rest.serializer"], ["clusters"], None),
        (["resources.cluster.adapter"], ["clusters"], None),
        (["acme_other.module"], [], None),
    ],
)
def test_the_plugin_whose_code_was_called_last_is_behind_an_error_else_the_routes(
    modules: list[str], blueprints: list[str], plugin: str | None
) -> None:
    origins = PluginOrigins()
    for origin in (RACKS, POOLS, LEASES):
        origins.add(origin)
    found = origins.behind(error_through(modules), blueprints)
    assert (found.plugin if found else None) == plugin
