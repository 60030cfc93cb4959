"""Parameters as Argo CD's plugin generator reads them (its manual's page on the Plugin Generator)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import Caller
from .discovery_world import MINE, NOW, THEIRS, World, discovery_world

#: Argo CD appends the path to the `baseUrl` of the plugin.
BASE, PATH = "discovery/argocd", "api/v1/getparams.execute"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with discovery_world(tmp_path_factory.mktemp("argocd"), wait_until) as made:
        yield made


def ask(caller: Caller, **parameters: Any) -> Any:
    """Send what Argo CD sends, with a Bearer token."""
    body = {"applicationSetName": "addons", "input": {"parameters": parameters}}
    return caller.post(f"{BASE}/{PATH}", json=body, headers=NOW)


def clusters(caller: Caller, **parameters: Any) -> dict[str, Any]:
    answer = ask(caller, **parameters)
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json["output"]["parameters"]}


def test_the_answer_has_the_form_that_argocd_requires(world: World) -> None:
    answer = ask(world.reader)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json.keys() == {"output"}
    assert answer.json["output"].keys() == {"parameters"}
    assert [item["name"] for item in answer.json["output"]["parameters"]] == sorted([MINE, THEIRS])


def test_parameters_say_what_the_cluster_is(world: World) -> None:
    cluster = world.admin.get(f"clusters/{MINE}", headers=NOW).json
    kubeconfig = world.admin.get(f"clusters/{MINE}/kubeconfig").text
    found = clusters(world.reader)[MINE]
    assert f"server: {found['server']}\n" in kubeconfig
    assert found["metadata"]["labels"] == {"env": "prod"}
    assert {name: found[name] for name in ("nameNormalized", "ready", "phase", "machines")} == {
        "nameNormalized": MINE,
        "ready": True,
        "phase": "RUNNING",
        "machines": 2,
    }
    assert (found["kubernetesVersion"], found["talosVersion"]) == (
        cluster["kubernetes_version"],
        cluster["talos_version"],
    )


def test_a_normalized_name_is_one_that_kubernetes_allows(world: World) -> None:
    assert clusters(world.reader)[THEIRS]["nameNormalized"] == "team-a"


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"label_selector": "env=prod"}, [MINE]),
        ({"label_selector": "env!=prod"}, [THEIRS]),
        ({"ready": True}, [MINE, THEIRS]),
        ({"ready": False}, []),
    ],
)
def test_the_input_of_the_generator_selects_clusters(
    world: World, parameters: dict[str, Any], names: list[str]
) -> None:
    assert sorted(clusters(world.reader, **parameters)) == sorted(names)


@pytest.mark.parametrize("body", [{}, {"applicationSetName": "a"}, {"applicationSetName": "a", "input": {}}])
def test_a_generator_without_input_gets_all_clusters(world: World, body: dict[str, Any]) -> None:
    answer = world.reader.post(f"{BASE}/{PATH}", json=body, headers=NOW)
    assert len(answer.json["output"]["parameters"]) == 2


def test_a_caller_held_to_a_cluster_gets_that_one(world: World) -> None:
    assert list(clusters(world.held)) == [MINE]
    assert THEIRS not in ask(world.held).text


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"labels": "a"}, "validation"),
        ({"ready": "perhaps"}, "validation"),
        ({"label_selector": "a=("}, "bad-selector"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, parameters: dict[str, Any], code: str) -> None:
    answer = ask(world.reader, **parameters)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_the_answer_has_no_credential(world: World) -> None:
    assert [word for word in ("token", "certificate", "client-key", "secret") if word in ask(world.admin).text] == []
