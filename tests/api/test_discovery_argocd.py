"""Clusters as Argo CD reads them: parameters of its plugin generator, Secrets (its manual, Declarative Setup) and
ClusterProfiles of the cluster inventory API.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft202012Validator

from resources.discovery.argocd.manifests import object_name

from .conftest import Caller
from .discovery_world import MINE, NOW, THEIRS, World, discovery_world, served

#: Argo CD appends the path to the `baseUrl` of the plugin.
BASE, PATH = "discovery/argocd", "api/v1/getparams.execute"
SECRETS, PROFILES = f"{BASE}/cluster-secrets", f"{BASE}/cluster-profiles"
TOKENS = "service_account=true&ttl=1h"
DATA = Path(__file__).parent / "data"
DOCS = Path(__file__).parents[2] / "docs" / "discovery.md"


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
    assert f"server: {found['server'].removesuffix(f'?cluster={MINE}')}\n" in kubeconfig
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


def objects(caller: Caller, path: str, query: str = "") -> dict[str, Any]:
    """Return the objects of a list by the ids of their clusters; the configuration of Secrets is decoded."""
    answer = caller.get(f"{path}?{query}", headers=NOW)
    assert answer.status_code == 200, answer.text
    assert (answer.json["apiVersion"], answer.json["kind"]) == ("v1", "List")
    found = {}
    for item in answer.json["items"]:
        if path == SECRETS:
            item["stringData"]["config"] = json.loads(item["stringData"]["config"])
        found[item["stringData"]["name"] if path == SECRETS else item["spec"]["displayName"]] = item
    return found


def faults(schema: str, found: dict[str, Any]) -> list[str]:
    """Return what a schema of `data/` finds wrong with objects."""
    validator = Draft202012Validator(json.loads((DATA / schema).read_text()))
    return [
        f"{error.instance_path}: {error.message}" for item in found.values() for error in validator.iter_errors(item)
    ]


def claims(token: str) -> Any:
    """Return what a token says."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@pytest.mark.parametrize("query", ["", "namespace=gitops&project=team&exec_command=/bin/login", TOKENS])
def test_secrets_have_the_form_that_argocd_reads(world: World, query: str) -> None:
    found = objects(world.admin, SECRETS, query)
    assert list(found) == sorted([MINE, THEIRS])
    assert faults("argocd_cluster_secret.json", found) == []


def test_a_reader_gets_secrets_without_a_credential(world: World) -> None:
    config = objects(world.reader, SECRETS)[MINE]["stringData"]["config"]
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "omni-credential", "args": [MINE]}
    assert (config.keys(), config["execProviderConfig"]) == ({"tlsClientConfig", "execProviderConfig"}, command)


def test_secrets_with_tokens_take_the_role_operator(world: World) -> None:
    answer = world.reader.get(f"{SECRETS}?{TOKENS}")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_each_token_is_for_its_own_cluster(world: World) -> None:
    found = objects(world.admin, SECRETS, f"{TOKENS}&user=ci&groups=deployers,viewers")
    said = {cluster: claims(secret["stringData"]["config"]["bearerToken"]) for cluster, secret in found.items()}
    assert {cluster: claim["cluster"] for cluster, claim in said.items()} == {MINE: MINE, THEIRS: THEIRS}
    assert (said[MINE]["sub"], said[MINE]["groups"]) == ("ci", ["deployers", "viewers"])
    assert said[MINE]["exp"] - said[MINE]["iat"] == 3600


@pytest.mark.parametrize("query", ["", TOKENS])
def test_no_cache_keeps_secrets(world: World, query: str) -> None:
    assert world.admin.get(f"{SECRETS}?{query}").headers["Cache-Control"] == "no-store"


def test_tokens_that_were_made_are_in_the_audit(world: World, wait_until: Callable[..., Any]) -> None:
    answer = world.admin.get(f"{SECRETS}?{TOKENS}")
    query = f"audit?request_id={answer.headers['X-Request-ID']}"
    (entry,) = wait_until(lambda: world.admin.get(query).json, what="the entry")
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", f"/api/v1/{SECRETS}", 200)


def test_a_head_makes_no_token(world: World, caplog: pytest.LogCaptureFixture) -> None:
    answer = world.admin.head(f"{SECRETS}?{TOKENS}")
    assert (answer.status_code, "Content-Length" in answer.headers) == (200, False)
    assert [record for record in caplog.records if record.name == "omni_gateway.audit"] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
def test_the_documented_command_gets_a_token_of_the_cluster(world: World, tmp_path: Path) -> None:
    block = re.search(r"^  ```sh\n(  #!/bin/sh.*?)^  ```$", DOCS.read_text(), flags=re.M | re.S)
    assert block is not None
    (tmp_path / "token").write_text(world.admin.token)
    with served(world.admin.app) as gateway:
        environ = {
            **os.environ,
            "OMNI_GATEWAY_URL": f"http://{gateway}",
            "OMNI_GATEWAY_TOKEN_FILE": str(tmp_path / "token"),
        }
        command = ["sh", "-ec", textwrap.dedent(block[1]), "omni-credential", THEIRS]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    credential = json.loads(done.stdout)
    assert (credential["apiVersion"], credential["kind"]) == ("client.authentication.k8s.io/v1", "ExecCredential")
    said = claims(credential["status"]["token"])
    assert (said["cluster"], said["sub"], said["groups"]) == (THEIRS, "argocd", ["system:masters"])
    expires = datetime.fromisoformat(credential["status"]["expirationTimestamp"])
    assert expires < datetime.fromtimestamp(said["exp"], UTC)


def test_every_cluster_has_a_server_and_a_name_of_its_own(world: World) -> None:
    found = objects(world.reader, SECRETS)
    kubeconfig = yaml.safe_load(world.admin.get(f"clusters/{MINE}/kubeconfig").text)
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    assert {cluster: secret["stringData"]["server"] for cluster, secret in found.items()} == {
        cluster: f"{server}?cluster={cluster}" for cluster in (MINE, THEIRS)
    }
    assert {cluster: item["server"] for cluster, item in clusters(world.reader).items()} == {
        cluster: secret["stringData"]["server"] for cluster, secret in found.items()
    }
    names = {cluster: secret["metadata"]["name"] for cluster, secret in found.items()}
    assert names == {MINE: f"omni-cluster-{MINE}", THEIRS: f"omni-cluster-{object_name(THEIRS)}"}
    assert names[MINE] != names[THEIRS]


@pytest.mark.parametrize("cluster", ["team_a", "Team", "-a", "a.b", "_", "a" * 70, "ä", object_name("a_b")])
def test_a_name_that_kubernetes_does_not_allow_or_that_another_has_becomes_a_new_one(cluster: str) -> None:
    name = object_name(cluster)
    assert name != cluster
    assert len(name) <= 63
    assert name.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
    assert name.strip("-") == name


@pytest.mark.parametrize("path", [SECRETS, PROFILES])
def test_the_query_and_the_scope_select_clusters(world: World, path: str) -> None:
    assert list(objects(world.reader, path, "label_selector=env=prod")) == [MINE]
    assert list(objects(world.reader, path, "ready=false")) == []
    assert list(objects(world.held, path)) == [MINE]


@pytest.mark.parametrize("path", [SECRETS, PROFILES])
def test_labels_that_argocd_acts_on_and_those_that_kubernetes_refuses_are_left_out(world: World, path: str) -> None:
    labels = {
        "argocd.argoproj.io/secret-type": "repository",
        "x.k8s.io/a": "b",
        "note": "two words",
        "example.org/tier": "1",
    }
    assert world.admin.patch(f"clusters/{THEIRS}", json={"labels": labels}).status_code == 200
    found = objects(world.reader, path)[THEIRS]["metadata"]["labels"]
    own = {"argocd.argoproj.io/secret-type": "cluster"} if path == SECRETS else {"x-k8s.io/cluster-manager": "omni"}
    assert found == {"example.org/tier": "1", **own}


def test_profiles_have_the_form_that_the_inventory_api_defines(world: World) -> None:
    found = objects(world.reader, PROFILES, "cluster_manager=berlin&namespace=fleet")
    assert faults("cluster_profile.json", found) == []
    cluster = world.admin.get(f"clusters/{MINE}", headers=NOW).json
    profile = found[MINE]
    assert profile["metadata"]["namespace"] == "fleet"
    assert profile["metadata"]["labels"] == {"env": "prod", "x-k8s.io/cluster-manager": "berlin"}
    assert profile["spec"]["clusterManager"] == {"name": "berlin"}
    assert profile["status"]["version"] == {"kubernetes": cluster["kubernetes_version"]}
    assert [(each["type"], each["status"]) for each in profile["status"]["conditions"]] == [
        ("ControlPlaneHealthy", "True")
    ]
    (access,) = profile["status"]["accessProviders"]
    assert access["cluster"]["server"] == clusters(world.reader)[MINE]["server"]


def test_unchanged_profiles_are_a_304(world: World) -> None:
    tag = world.reader.get(PROFILES, headers=NOW).headers["ETag"]
    assert world.reader.get(PROFILES, headers={"If-None-Match": tag, **NOW}).status_code == 304


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("service_account=true", "ttl"),
        ("ttl=1h", "ttl"),
        ("service_account=true&ttl=0s", "ttl"),
        ("service_account=true&ttl=87601h", "ttl"),
        (f"{TOKENS}&groups={','.join('a' * 33)}", "groups"),
        ("namespace=Argo", "namespace"),
        ("exec_command=", "exec_command"),
        (f"project={'a' * 254}", "project"),
    ],
)
def test_secrets_that_cannot_be_made_are_refused_by_parameter(world: World, query: str, name: str) -> None:
    answer = world.admin.get(f"{SECRETS}?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [name])


def test_a_manager_that_no_label_can_name_is_refused(world: World) -> None:
    answer = world.reader.get(f"{PROFILES}?cluster_manager=a%20b")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cluster_manager"])
