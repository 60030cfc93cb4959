"""The Python blocks of docs/plugins/ run as they stand, page by page, and what they declare does what it says."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.plugins.discovery import Found
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from tests.api.streams import told

GUIDE = Path(__file__).parents[3] / "docs" / "plugins"
PAGES = ["README.md", "schemas.md", "actions.md", "contract.md", "back-ends.md", "watches.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)
ANY = "/api/v1/resources"
CLUSTER = "guide"


@pytest.fixture(scope="module")
def plugins() -> list[ServicePlugin]:
    """Run the blocks; a traceback names the page and the line in it."""
    found: list[ServicePlugin] = []
    for page in PAGES:
        names: dict[str, Any] = {"__name__": "guide"}
        text = (GUIDE / page).read_text()
        for block in BLOCK.finditer(text):
            lines_before = text.count("\n", 0, block.start(1))
            exec(compile("\n" * lines_before + block[1], str(GUIDE / page), "exec"), names)
        found += [value for value in names.values() if isinstance(value, ServicePlugin)]
    return found


@pytest.fixture(scope="module")
def api(
    plugins: list[ServicePlugin], simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory
) -> FlaskClient:
    found = [Found(plugin.name, "guide", "guide", "1.0", "loaded", plugin) for plugin in plugins]
    omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("omni_gateway.app.discover", lambda **_: found)
        return create_app(Settings(omni=omni, state_dir=tmp_path_factory.mktemp("guide"), auth=("off",))).test_client()


def test_every_block_with_code_is_run() -> None:
    text = "".join((GUIDE / page).read_text() for page in PAGES)
    assert len(BLOCK.findall(text)) == len(re.findall(r"```(python|py)\b", text)) >= 4


def test_an_omni_type_has_the_routes_that_its_declaration_gives(api: FlaskClient) -> None:
    made = api.post("/api/v1/grpc-tunnel-configs", json={"id": "00000000-0000-4000-8000-000000000009", "enabled": True})
    assert made.status_code == 201, made.json
    changed = api.patch(made.headers["Location"], json={"enabled": False})
    assert (changed.status_code, changed.json["enabled"]) == (200, False)
    assert api.delete(made.headers["Location"]).status_code == 204


def test_filters_links_actions_and_computed_documents_answer(api: FlaskClient) -> None:
    offered = [item["spec"] for item in api.get(f"{ANY}/TalosVersions.omni.sidero.dev?page_size=1000").json]
    talos = next(spec for spec in offered if spec.get("compatible_kubernetes_versions"))
    versions = {"talos_version": talos["version"], "kubernetes_version": talos["compatible_kubernetes_versions"][0]}
    labels = {"omni.sidero.dev/cluster": CLUSTER, "omni.sidero.dev/role-worker": ""}
    for type, body in (
        ("Clusters", {"id": CLUSTER, "spec": versions}),
        ("MachineSets", {"id": f"{CLUSTER}-workers", "labels": labels}),
    ):
        made = api.post(f"{ANY}/{type}.omni.sidero.dev", json=body)
        assert made.status_code == 201, made.json
    [group] = api.get(f"/api/v1/groups?cluster={CLUSTER}").json
    assert group["_links"]["cluster"] == f"/api/v1/clusters/{CLUSTER}"
    pool = f"/api/v1/pools/{group['id']}"
    assert api.get(f"{pool}/counts").json == {"machines": 0}
    paused = api.post(f"{pool}/actions/pause", json={"reason": "a holiday"})
    assert paused.json["annotations"] == {"example.org/paused": "a holiday"}
    for type, id in (("MachineSets", f"{CLUSTER}-workers"), ("Clusters", CLUSTER)):
        api.delete(f"{ANY}/{type}.omni.sidero.dev/{id}")


@pytest.mark.parametrize("cached", [True, False])
def test_objects_that_are_joined_are_watched_as_they_are_listed(api: FlaskClient, cached: bool) -> None:
    listed = api.get("/api/v1/named-links?page_size=1000").json
    assert any(link["hostname"] for link in listed)  # other tests make links of machines that report none
    headers = {"Accept": "application/x-ndjson", **({} if cached else {"Cache-Control": "no-cache"})}
    for url, expected in (("named-links", listed), (f"named-links/{listed[0]['id']}", listed[:1])):
        answer = api.get(f"/api/v1/{url}", headers=headers, buffered=False)
        events = list(takewhile(lambda event: event["type"] != "BOOKMARK", told(answer)))
        answer.close()
        assert [event["object"] for event in events] == expected


def test_views_of_a_plugins_own_and_a_back_end_of_its_own_answer(api: FlaskClient) -> None:
    assert api.get("/api/v1/groups/report").text == "all is well"
    assert api.get("/api/v1/groups/badge.svg").mimetype == "image/svg+xml"
    assert len(api.get("/api/v1/loads?sort=-average").json) == 3
    assert api.get("/api/v1/loads/5min").status_code == 200
    assert api.get("/api/v1/loads/1year").status_code == 404
