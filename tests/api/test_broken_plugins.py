"""A broken plugin stops the start with one message that names it, or is left out where the operator says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omni_gateway.app import create_app
from omni_gateway.plugins.discovery import BrokenPlugin
from omni_gateway.settings import Settings

pytestmark = pytest.mark.slow

GOOD = """
from omni_gateway.sdk import READ, OmniResourceAdapter, ResourcePlugin, ResourceSchema
class {schema}(ResourceSchema):
    pass
plugin = ResourcePlugin(
    name="{name}", singular="{name}-one", schema={schema}, adapter=OmniResourceAdapter("Links.omni.sidero.dev"),
    roles={roles}, sdk="{sdk}",
)
"""


def source(name: str = "thing", schema: str = "ThingSchema", roles: str = "READ", sdk: str = ">=2.0,<3") -> str:
    return GOOD.format(name=name, schema=schema, roles=roles, sdk=sdk)


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Install a distribution ``acme-things`` 9.1 whose module has the given source."""

    def make(text: str, target: str = "acme_things:plugin", entry: str = "zz-acme") -> None:
        (tmp_path / "acme_things.py").write_text(text)
        info = tmp_path / "acme_things-9.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-things\nVersion: 9.1\n")
        (info / "entry_points.txt").write_text(f"[omni_gateway.resources]\n{entry} = {target}\n")

    sys.path.insert(0, str(tmp_path))
    yield make
    sys.path.remove(str(tmp_path))
    sys.modules.pop("acme_things", None)


BROKEN = [
    ("raise RuntimeError('no licence')", "no licence"),
    ("import nowhere_at_all", "nowhere_at_all"),
    ("plugin = 42", "not a ResourcePlugin"),
    (source(sdk=">=3"), "SDK >=3"),
    (source(sdk="soon"), "cannot be read"),
    (source(name="clusters"), "taken"),
    (source(name="operations"), "taken"),
    (source(schema="ClusterSchema"), "schema name 'Cluster'"),
    (source(roles="{'conquer': 1}"), "conquer"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_it_stops_the_start_and_is_named(
    install: Callable[[str], None], settings: Settings, text: str, words: str
) -> None:
    install(text)
    with pytest.raises(BrokenPlugin) as stopped:
        create_app(settings)
    assert all(part in str(stopped.value) for part in ("acme-things 9.1", "'zz-acme'", words))


def test_a_plugin_whose_name_comes_first_takes_no_schema_name_from_the_gateways(
    install: Callable[..., None], settings: Settings
) -> None:
    install(source(schema="ClusterSchema"), entry="aa-acme")
    with pytest.raises(BrokenPlugin) as stopped:
        create_app(settings)
    assert stopped.value.found.distribution == "acme-things"
    assert "ClusterSchema of plugin 'cluster' (resources.cluster:plugin)" in str(stopped.value)


def test_a_schema_with_the_name_of_anothers_shape_stops_the_start_with_the_names_of_both_plugins(
    install: Callable[..., None], settings: Settings
) -> None:
    install(source(schema="ClusterPatchSchema"))
    with pytest.raises(BrokenPlugin) as stopped:
        create_app(settings)
    assert stopped.value.found.distribution == "acme-things"
    assert "'Cluster' is of plugin 'cluster' (resources.cluster:plugin)" in str(stopped.value)


#: One that cannot be imported, one that is no plugin, one that cannot be registered.
SKIPPED = [BROKEN[0], BROKEN[2], BROKEN[5]]


@pytest.mark.usefixtures("undocumented")
@pytest.mark.parametrize(("text", "words"), SKIPPED, ids=[words for _, words in SKIPPED])
def test_with_skip_the_rest_starts_and_readyz_tells(
    install: Callable[[str], None], settings: Settings, text: str, words: str
) -> None:
    install(text)
    app = create_app(replace(settings, plugin_errors="skip"))
    ready = app.test_client().get("/readyz")
    assert ready.status_code == 200
    assert words in ready.json["checks"]["plugins"]["broken"][0]["reason"]
    assert app.test_client().get("/api/v1/clusters").status_code == 401


@pytest.mark.usefixtures("undocumented")
def test_a_disabled_plugin_is_not_even_imported(install: Callable[[str], None], settings: Settings) -> None:
    install("raise RuntimeError('imported')")
    create_app(replace(settings, plugins_disabled=("zz-acme",)))
    assert "acme_things" not in sys.modules


@pytest.mark.usefixtures("undocumented")
def test_a_package_hidden_by_another_of_its_name_is_told_apart_from_a_missing_one(
    install: Callable[..., None], settings: Settings
) -> None:
    install("", target="json.things:plugin")
    with pytest.raises(BrokenPlugin, match="another package 'json'"):
        create_app(settings)
