"""Configuration patches: what Omni thinks of their text, and the ones that are Omni's own."""

from __future__ import annotations

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, Unique, Wait, new_cluster, problem

PATCHES = "ConfigPatches.omni.sidero.dev"
DATA = 'machine:\n  sysctls:\n    vm.swappiness: "10"\n'
#: Talos takes one document without a kind in a patch; others stand beside it.
OTHER = "apiVersion: v1alpha1\nkind: EnvironmentConfig\nvariables:\n  E2E: '1'\n"

BAD = {
    "broken YAML": "machine: [",
    "an unknown key": "machine:\n  nonsense: true\n",
    "a JSON patch": '[{"op": "add", "path": "/machine", "value": {}}]',
    "a scalar": "42",
    "a secret": "cluster:\n  token: abc.def\n",
}


def test_a_good_patch_is_valid(reader: httpx.Client) -> None:
    answer = reader.post("configpatches/actions/validate", json={"data": DATA})
    assert (answer.status_code, answer.json()) == (200, {"valid": True})


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_bad_patch_is_refused_with_omni_s_reason(reader: httpx.Client, data: str) -> None:
    answer = reader.post("configpatches/actions/validate", json={"data": data})
    document = problem(answer, 422, "refused-by-omni")
    assert document["errors"]["data"] == [document["detail"]]
    assert document["grpc_code"] == "INVALID_ARGUMENT"


def test_validating_makes_nothing(api: httpx.Client, unique: Unique) -> None:
    before = api.get("configpatches", params={"page_size": 1}).headers["X-Pagination"]
    api.post("configpatches/actions/validate?dry_run=true", json={"data": DATA})
    answer = api.post("configpatches/actions/validate", json={"data": DATA, "id": unique("patch")})
    problem(answer, 422, "validation")
    assert api.get("configpatches", params={"page_size": 1}).headers["X-Pagination"] == before


@pytest.mark.parametrize("dry_run", ["false", "true"])
@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_bad_patch_is_not_made_and_a_dry_run_says_so(
    api: httpx.Client, unique: Unique, data: str, dry_run: str
) -> None:
    id = unique("patch")
    answer = api.post(f"configpatches?dry_run={dry_run}", json={"id": id, "data": data})
    assert problem(answer, 422, "refused-by-omni")["errors"]["data"]
    assert api.get(f"configpatches/{id}").status_code == 404


def test_a_patch_cannot_be_made_bad(api: httpx.Client, made: Made, unique: Unique) -> None:
    id = unique("patch")
    api.post("configpatches", json={"id": id, "data": DATA})
    url = made(f"configpatches/{id}")
    problem(api.patch(url, json={"data": BAD["an unknown key"]}), 422, "refused-by-omni")
    assert api.get(url).json()["data"] == DATA


def test_json_and_several_documents_are_taken(api: httpx.Client, made: Made, unique: Unique) -> None:
    for data in ('{"machine": {"sysctls": {"vm.swappiness": "10"}}}', f"{DATA}---\n{OTHER}"):
        id = unique("patch")
        answer = api.post("configpatches", json={"id": id, "data": data})
        made(f"configpatches/{id}")
        assert (answer.status_code, answer.json().get("data")) == (201, data), answer.text


def test_a_long_patch_is_kept_as_it_was_sent(api: httpx.Client, made: Made, unique: Unique, omni: OmniClient) -> None:
    id = unique("patch")
    data = "machine:\n  sysctls:\n" + "".join(f'    net.test.value{n}: "{n}"\n' for n in range(500))
    api.post("configpatches", json={"id": id, "data": data})
    made(f"configpatches/{id}")
    assert api.get(f"configpatches/{id}").json()["data"] == data
    assert "compressed_data" not in omni.resources.get(PATCHES, id)["spec"]


@pytest.fixture
def owned(api: httpx.Client, made: Made, unique: Unique, wait_until: Wait) -> str:
    """A patch that Omni's controllers make for a cluster."""
    body = {"features": {"use_embedded_discovery_service": True}}
    cluster = new_cluster(api, made, unique("c"), **body)["id"]

    def found() -> str | None:
        patches = api.get("configpatches", params={"cluster": cluster}).json()
        return next((patch["id"] for patch in patches if patch["metadata"]["owner"]), None)

    return str(wait_until(found, 30, "a patch of Omni's own"))


@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_a_patch_of_omni_s_own_cannot_be_changed(api: httpx.Client, owned: str, dry_run: str) -> None:
    url = f"configpatches/{owned}"
    document = problem(api.patch(f"{url}?dry_run={dry_run}", json={"data": DATA}), 403, "omni-forbidden")
    assert "patch of your own" in document["hint"]


def test_a_patch_of_omni_s_own_cannot_be_replaced_or_removed(api: httpx.Client, owned: str) -> None:
    url = f"configpatches/{owned}"
    problem(api.put(url, json={"id": owned, "data": DATA}), 403, "omni-forbidden")
    problem(api.delete(f"{url}?dry_run=true"), 403, "omni-forbidden")
    document = problem(api.delete(url), 403, "omni-forbidden")
    assert document["grpc_code"] == "PERMISSION_DENIED"
    assert "patch of your own" in document["hint"]
    assert api.get(url).status_code == 200


def test_a_locked_cluster_s_patches_can_still_be_made(api: httpx.Client, made: Made, unique: Unique) -> None:
    cluster = new_cluster(api, made, unique("c"))["id"]
    assert api.post(f"clusters/{cluster}/actions/lock").status_code == 200
    id = unique("patch")
    answer = api.post("configpatches", json={"id": id, "data": DATA, "labels": {"omni.sidero.dev/cluster": cluster}})
    made(f"configpatches/{id}")
    assert answer.status_code == 201, answer.text


def test_a_reader_may_not_write(reader: httpx.Client, unique: Unique) -> None:
    answer = reader.post("configpatches", json={"id": unique("patch"), "data": DATA})
    problem(answer, 403, "forbidden")
