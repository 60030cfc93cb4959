"""OpenID Connect providers: the gateway's own registry, with Omni's own provider in it."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest

from tests.e2e.cluster_steps import Made, Unique, changes, problem

URL = "oidc/providers"
BODY: dict[str, Any] = {"name": "Corporate", "issuer_url": "https://login.example.com", "client_id": "gateway"}
simulator_only = pytest.mark.skipif("OMNI_ENDPOINT" in os.environ, reason="needs an Omni that signs in by OIDC")


@pytest.fixture
def provider(api: httpx.Client, made: Made, unique: Unique) -> dict[str, Any]:
    answer = api.post(URL, json={"id": unique("idp"), **BODY})
    assert answer.status_code == 201, answer.text
    made(f"{URL}/{answer.json()['id']}")
    return dict(answer.json())


def test_a_provider_has_defaults_and_can_be_read_by_all(provider: dict[str, Any], reader: httpx.Client) -> None:
    read = reader.get(f"{URL}/{provider['id']}")
    assert read.json() == provider
    assert (provider["enabled"], provider["source"], provider["role_claim"]) == (True, "gateway", "role")
    assert provider["scopes"] == ["openid", "profile", "email"]
    assert read.headers["ETag"]


def test_an_id_is_made_of_the_name(api: httpx.Client, made: Made, unique: Unique) -> None:
    name = unique("My IdP").upper()
    answer = api.post(URL, json={**BODY, "name": name})
    made(f"{URL}/{answer.json()['id']}")
    assert answer.json()["id"] == name.lower().replace(" ", "-")
    assert answer.headers["Location"] == f"/api/v1/{URL}/{answer.json()['id']}"
    problem(api.post(URL, json={**BODY, "name": name}), 409, "exists")


def test_a_replace_and_a_patch_are_kept(api: httpx.Client, provider: dict[str, Any]) -> None:
    url = f"{URL}/{provider['id']}"
    replaced = api.put(url, json={**BODY, "name": "Other", "labels": {"env": "prod"}}).json()
    assert (replaced["name"], replaced["labels"], replaced["metadata"]["version"]) == ("Other", {"env": "prod"}, 2)
    patched = api.patch(url, json={"enabled": False, "role_mapping": {"admins": "admin"}}).json()
    assert (patched["enabled"], patched["role_mapping"], patched["name"]) == (False, {"admins": "admin"}, "Other")
    assert api.get(url).json() == patched


def test_a_write_over_an_old_state_is_refused(api: httpx.Client, provider: dict[str, Any]) -> None:
    url = f"{URL}/{provider['id']}"
    old = api.get(url).headers["ETag"]
    api.patch(url, json={"enabled": False})
    problem(api.patch(url, json={"name": "late"}, headers={"If-Match": old}), 412, "stale-precondition")
    problem(api.delete(url, headers={"If-Match": old}), 412, "stale-precondition")


def test_a_removed_provider_is_gone_at_once(api: httpx.Client, provider: dict[str, Any]) -> None:
    url = f"{URL}/{provider['id']}"
    assert api.delete(f"{url}?dry_run=true").json()["state"] == "planned"
    assert api.delete(url).status_code == 204
    problem(api.get(url), 404, "not-found")
    problem(api.delete(url), 404, "not-found")


def test_a_dry_run_keeps_nothing(api: httpx.Client, unique: Unique) -> None:
    id = unique("idp")
    assert api.post(f"{URL}?dry_run=true", json={"id": id, **BODY}).json()["id"] == id
    assert api.get(f"{URL}/{id}").status_code == 404


def test_they_are_searched_sorted_and_selected(api: httpx.Client, provider: dict[str, Any]) -> None:
    api.patch(f"{URL}/{provider['id']}", json={"labels": {"made-by": "e2e"}})
    query = {"search": provider["id"], "label_selector": "made-by=e2e", "sort": "-name"}
    assert [item["id"] for item in api.get(URL, params=query).json()] == [provider["id"]]


def test_a_change_is_told_to_who_watches(api: httpx.Client, provider: dict[str, Any]) -> None:
    url = f"{URL}/{provider['id']}"
    with changes(api, url) as lines:
        assert '"ADDED"' in next(lines)
        api.patch(url, json={"name": "Seen"})
        assert any("Seen" in line for line in lines)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"issuer_url": "http://login.example.com"}, "issuer_url"),
        ({"issuer_url": "https://login.example.com/?a=b"}, "issuer_url"),
        ({"issuer_url": "https://login.example.com#x"}, "issuer_url"),
        ({"issuer_url": "https://me:secret@login.example.com"}, "issuer_url"),
        ({"issuer_url": "login.example.com"}, "issuer_url"),
        ({"issuer_url": "https://[::1"}, "issuer_url"),
        ({"issuer_url": "https://login.example.com:x"}, "issuer_url"),
        ({"issuer_url": "https://login example.com"}, "issuer_url"),
        ({"client_id": ""}, "client_id"),
        ({"name": ""}, "name"),
        ({"scopes": ["open id"]}, "scopes.0"),
        ({"role_mapping": {"x": "king"}}, "role_mapping.x"),
        ({"client_secret": "s"}, "client_secret"),
        ({"enabled": "yes"}, "enabled"),
    ],
)
def test_what_is_wrong_is_named(api: httpx.Client, unique: Unique, wrong: dict[str, Any], field: str) -> None:
    answer = api.post(URL, json={"id": unique("idp"), **BODY, **wrong})
    assert [name for name in problem(answer, 422, "validation")["errors"] if name.startswith(field)]


@pytest.mark.parametrize("missing", BODY)
def test_what_is_missing_is_named(api: httpx.Client, unique: Unique, missing: str) -> None:
    body = {"id": unique("idp"), **{key: value for key, value in BODY.items() if key != missing}}
    assert set(problem(api.post(URL, json=body), 422, "validation")["errors"]) == {missing}


def test_a_name_without_letters_needs_an_id(api: httpx.Client) -> None:
    assert "id" in problem(api.post(URL, json={**BODY, "name": "***"}), 422, "validation")["errors"]


def test_http_is_for_loopback(api: httpx.Client, made: Made, unique: Unique) -> None:
    answer = api.post(URL, json={**BODY, "id": unique("idp"), "issuer_url": "http://127.0.0.1:5556/dex"})
    assert answer.status_code == 201
    made(f"{URL}/{answer.json()['id']}")


@simulator_only
def test_omnis_own_provider_is_listed_without_its_secret(reader: httpx.Client) -> None:
    listed = reader.get(URL)
    own = next(item for item in listed.json() if item["id"] == "omni")
    assert (own["source"], own["enabled"], own["client_id"]) == ("omni", True, "omni")
    assert own["issuer_url"].startswith("https://")
    assert "secret" not in listed.text
    assert reader.get(f"{URL}/omni").json() == own


@simulator_only
def test_omnis_own_provider_is_read_only(api: httpx.Client) -> None:
    for answer in (
        api.put(f"{URL}/omni", json=BODY),
        api.patch(f"{URL}/omni", json={"enabled": False}),
        api.delete(f"{URL}/omni"),
        api.delete(f"{URL}/omni?dry_run=true"),
    ):
        assert "started" in problem(answer, 403, "forbidden")["hint"]
    assert api.post(URL, json={**BODY, "id": "omni"}).status_code in (409, 422)


def test_only_admins_write(operator: httpx.Client, anonymous: httpx.Client, provider: dict[str, Any]) -> None:
    url = f"{URL}/{provider['id']}"
    for method, where in (("post", URL), ("put", url), ("patch", url), ("delete", url)):
        assert operator.request(method, where, json={}).status_code == 403
        assert anonymous.request(method, where, json={}).status_code == 401
    assert anonymous.get(URL).status_code == 401
