"""What a plugin adds below another plugin's objects: documents, sub-resources and actions below clusters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask
from marshmallow import fields

from omni_gateway.plugins.discovery import BrokenPlugin
from omni_gateway.sdk import OmniResourceAdapter, Resource, ResourceAdapter, ResourceSchema, Role, SubResource
from omni_gateway.sdk.actions import Action, ComputedDocument, DryRunResult, ServicePlugin
from omni_gateway.sdk.adapters import update
from omni_gateway.sdk.extensions import Extension
from omni_gateway.sdk.omni import types
from omni_gateway.settings import Settings
from omni_gateway.store import Store
from resources.cluster import plugin as clusters
from resources.machineset import plugin as machine_sets
from resources.token import plugin as gateway_tokens
from resources.whoami import plugin as whoami

from .conftest import Caller
from .guide_page import names_of
from .mounted_plugins import app_of

INSIDE, OUTSIDE = "racks-in-a", "racks-out-b"


class PhaseSchema(ResourceSchema):
    """Whether a cluster is ready, in a plugin's own form."""

    ready = fields.Boolean()


def note(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    def mutate(existing: Resource) -> Resource:
        return replace(existing, annotations={**existing.annotations, "example.org/note": "seen"})

    return update(adapter, id, mutate, dry_run=dry_run)


def document(path: str = "wiring", role: Role = Role.READER, **options: Any) -> ComputedDocument:
    return ComputedDocument(path, role=role, summary="Its wiring", run=lambda adapter, id, query: {}, **options)


def service(name: str, *extensions: Extension) -> ServicePlugin:
    return ServicePlugin(name=name, adapter=OmniResourceAdapter(types.CLUSTERS), extensions=extensions)


WIRING = service(
    "wiring",
    Extension(
        "clusters",
        subresources=[SubResource("phase", OmniResourceAdapter(types.CLUSTER_STATUSES), PhaseSchema, "Its phase")],
        documents=[
            ComputedDocument(
                "loose-end", role=Role.READER, summary="None", run=lambda adapter, id, query: cast(Any, object())
            )
        ],
        actions=[Action("note", role=Role.OPERATOR, summary="Note that it was seen", run=note)],
    ),
)


@pytest.fixture(scope="module")
def extended(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The plugin of the guide is mounted before the one that it extends."""
    plugins = [
        names_of("beyond-routes.md", tmp_path_factory.mktemp("guide"))["racks_of_clusters"],
        WIRING,
        clusters,
        machine_sets,
    ]
    return app_of(settings, plugins)


@pytest.fixture(scope="module", autouse=True)
def two_clusters(extended: Flask, tokens: dict[str, str]) -> Iterator[None]:
    admin = Caller(extended.test_client(), tokens["admin"])
    for cluster in (INSIDE, OUTSIDE):
        assert admin.post("clusters", json={"id": cluster}).status_code == 201
        labels = {"omni.sidero.dev/cluster": cluster, "omni.sidero.dev/role-worker": "", "example.org/rack": "r12"}
        made = admin.post("machinesets", json={"id": f"{cluster}-workers", "labels": labels})
        assert made.status_code == 201, made.json
    yield
    for cluster in (INSIDE, OUTSIDE):
        admin.delete(f"clusters/{cluster}")


@pytest.fixture
def api(extended: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(extended.test_client(), tokens["admin"])


@pytest.fixture(scope="module")
def held_token(settings: Settings) -> str:
    return Store(settings.database_url).tokens.create("held to racks", "operator", None, ["racks-in-*"])[1]


@pytest.fixture
def held(extended: Flask, held_token: str) -> Caller:
    return Caller(extended.test_client(), held_token)


def test_a_document_below_a_cluster_answers(api: Caller) -> None:
    answer = api.get(f"clusters/{INSIDE}/racks")

    assert (answer.status_code, answer.json) == (200, {"racks": [{"name": "r12", "machine_sets": 1}]})


def test_a_sub_resource_below_a_cluster_is_an_object_of_its_own_schema(api: Caller) -> None:
    answer = api.get(f"clusters/{INSIDE}/phase")

    assert (answer.status_code, answer.json["ready"]) == (200, False)
    assert answer.json["_links"]["cluster"] == f"/api/v1/clusters/{INSIDE}"


def test_an_action_below_a_cluster_returns_the_cluster_and_is_audited_as_one_on_it(
    api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api.post(f"clusters/{INSIDE}/actions/note")

    assert answer.json["annotations"]["example.org/note"] == "seen"
    assert answer.json["_links"]["self"] == f"/api/v1/clusters/{INSIDE}"
    [entry] = [json.loads(record.message) for record in caplog.records if record.name == "omni_gateway.audit"]
    assert (entry["resource"], entry["object_id"], entry["cluster"]) == ("clusters", INSIDE, INSIDE)


def test_an_action_checks_the_entity_tag_of_the_cluster(api: Caller) -> None:
    assert api.post(f"clusters/{INSIDE}/actions/note", headers={"If-Match": '"other"'}).status_code == 412


def test_where_the_cluster_is_not_there_nothing_is_below_it(api: Caller) -> None:
    for answer in (api.get("clusters/none/racks"), api.post("clusters/none/actions/note")):
        assert (answer.status_code, answer.json["code"]) == (404, "not-found")


def test_a_caller_of_some_clusters_reaches_what_is_below_these_only(held: Caller) -> None:
    assert held.get(f"clusters/{INSIDE}/racks").json["racks"]
    assert held.post(f"clusters/{INSIDE}/actions/note").status_code == 200
    for path in ("racks", "phase"):
        assert held.get(f"clusters/{OUTSIDE}/{path}").status_code == 404
    assert held.post(f"clusters/{OUTSIDE}/actions/note").status_code == 404


def test_each_route_takes_its_role(extended: Flask, tokens: dict[str, str]) -> None:
    reader, nobody = Caller(extended.test_client(), tokens["reader"]), Caller(extended.test_client(), None)

    assert reader.get(f"clusters/{INSIDE}/racks").status_code == 200
    assert reader.post(f"clusters/{INSIDE}/actions/note").status_code == 403
    assert nobody.get(f"clusters/{INSIDE}/racks").status_code == 401


def test_what_fails_names_the_plugin_that_brings_the_route(api: Caller) -> None:
    answer = api.get(f"clusters/{INSIDE}/loose-end")

    assert (answer.status_code, answer.json["code"]) == (500, "plugin-error")
    assert (answer.json["plugin"], answer.json["distribution"]) == ("wiring", "acme")


def test_the_document_has_the_operations_with_those_of_the_extended_plugin(api: Caller) -> None:
    whole = api.get("/openapi.json").json

    operation = whole["paths"]["/api/v1/clusters/{id}/racks"]["get"]
    assert (operation["tags"], operation["operationId"]) == (["clusters"], "get_cluster_racks")
    assert "racks" not in [tag["name"] for tag in whole["tags"]]
    read = whole["paths"]["/api/v1/clusters/{id}"]["get"]["responses"]["200"]
    assert read["links"]["racks"]["operationId"] == "get_cluster_racks"


def test_a_plugin_that_only_extends_others_is_no_resource_of_the_index(api: Caller) -> None:
    assert "racks" not in [resource["name"] for resource in api.get("/api/v1").json["resources"]]


REFUSED: Mapping[str, tuple[Sequence[ServicePlugin], str]] = {
    "the other plugin is not there": (
        [service("wires", Extension("cluster", documents=[document()])), clusters],
        "it extends 'cluster', which is not loaded; did you mean 'clusters'?",
    ),
    "the other plugin has no objects": (
        [service("wires", Extension("auth/whoami", documents=[document()])), whoami],
        "it extends 'auth/whoami', which has no objects that are read by their ids",
    ),
    "a URL of the other plugin": (
        [service("wires", Extension("clusters", documents=[document("kubernetes-nodes/<name>")])), clusters],
        "GET /api/v1/clusters/<id>/kubernetes-nodes/<name> is taken by the plugin 'clusters'",
    ),
    "a URL of a third plugin": (
        [
            service("cables", Extension("clusters", documents=[document()])),
            service("wires", Extension("clusters", documents=[document()])),
            clusters,
        ],
        "GET /api/v1/clusters/<id>/wiring is taken by the plugin 'cables'",
    ),
    "a URL of its own": (
        [service("wires", Extension("clusters", documents=[document(), document()])), clusters],
        "GET /api/v1/clusters/<id>/wiring is taken by the plugin 'wires'",
    ),
    "open to more than the object": (
        [service("wires", Extension("auth/tokens", documents=[document()])), gateway_tokens],
        "GET /api/v1/auth/tokens/<id>/wiring takes the role reader, but reading 'auth/tokens' takes admin",
    ),
    "not below an object": (
        [service("wires", Extension("clusters", documents=[document(on_collection=True)])), clusters],
        "it extends 'clusters' by 'Its wiring', which is not below an object",
    ),
    "in two parts": (
        [service("wires", Extension("clusters"), Extension("clusters")), clusters],
        "it extends 'clusters' twice",
    ),
}


@pytest.mark.usefixtures("undocumented")
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_added_stops_the_start(settings: Settings, case: str) -> None:
    plugins, text = REFUSED[case]

    with pytest.raises(BrokenPlugin) as refused:
        app_of(settings, plugins)

    assert "plugin 'wires' (here) of acme 1.0: " in str(refused.value)
    assert text in str(refused.value)


@pytest.mark.usefixtures("undocumented")
def test_a_plugin_that_extends_a_disabled_one_stops_the_start_or_is_left_out(settings: Settings) -> None:
    plugins = [service("wires", Extension("clusters", documents=[document()]))]
    without = replace(settings, plugins_disabled=("clusters",))

    with pytest.raises(BrokenPlugin, match="which is not loaded; OMNI_GATEWAY_PLUGINS_DISABLED leaves out: clusters"):
        app_of(without, plugins)

    ready = app_of(replace(without, plugin_errors="skip"), plugins).test_client().get("/readyz")
    assert "leaves out: clusters" in ready.json["checks"]["plugins"]["broken"][0]["reason"]
