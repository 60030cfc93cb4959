"""Infrastructure providers: the object and the service account are made, renewed and removed as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import grpc
import pytest

from omni_gateway.omni import OmniClient, OmniConfig, key_pairs, types
from omni_gateway.omni import errors as omni_errors
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.stubs import simulator_faults_pb2 as faults

from .conftest import Caller

URL = "infra-providers"
REFUSED = faults.Error(code=grpc.StatusCode.UNKNOWN.value[0], message="no more accounts today")


@pytest.fixture
def id() -> str:
    return f"p-{uuid4().hex[:8]}"


@pytest.fixture
def provider(api: Caller, id: str) -> Iterator[dict[str, Any]]:
    answer = api.post(URL, json={"id": id, "ttl": "1h"})
    assert answer.status_code == 201, answer.text
    yield answer.json
    api.delete(f"{URL}/{id}")


@pytest.fixture
def called_with(simulator: RunningSimulator) -> Callable[[str], str]:
    """Call Omni with a key; return the role that Omni gives it."""

    def call(key: str) -> str:
        with OmniClient(OmniConfig(endpoint=simulator.endpoint, service_account_key=key)) as omni:
            return str(omni.resources.list(types.CURRENT_USERS).items[0]["spec"]["role"])

    return call


def has_account(api: Caller, id: str) -> bool:
    """Whether Omni has the account of a provider, which it does not list."""
    return api.get(f"resources/identities/{id}@infra-provider.serviceaccount.omni.sidero.dev").status_code == 200


def test_a_new_provider_has_an_account_whose_key_calls_omni(
    api: Caller, provider: dict[str, Any], called_with: Callable[[str], str]
) -> None:
    assert called_with(provider["key"]) == "InfraProvider"
    assert has_account(api, provider["id"])
    assert api.get(f"auth/service-accounts/infra-provider:{provider['id']}").status_code == 404
    assert api.get(f"{URL}/{provider['id']}").json["key"] == ""


def test_a_provider_is_listed_with_what_its_program_reports(
    reader: Caller, simulator: RunningSimulator, provider: dict[str, Any]
) -> None:
    health = {"connected": True, "initialized": True, "error": "no more disks"}
    spec = {"name": "Bare metal", "version": "v0.9.0", "health": health}
    status = Resource("ephemeral", types.INFRA_PROVIDER_COMBINED_STATUSES, provider["id"], spec, owner="test")
    simulator.store.create(status, owner="test")
    fresh = {"Cache-Control": "no-cache"}
    listed = next(item for item in reader.get(URL, headers=fresh).json if item["id"] == provider["id"])
    assert listed == reader.get(f"{URL}/{provider['id']}", headers=fresh).json
    assert [listed[name] for name in ("name", "version", "connected", "initialized", "error")] == [
        "Bare metal",
        "v0.9.0",
        True,
        True,
        "no more disks",
    ]


def test_a_renewed_provider_has_two_keys_that_work(
    api: Caller, provider: dict[str, Any], called_with: Callable[[str], str]
) -> None:
    renewed = api.post(f"{URL}/{provider['id']}/actions/renew", json={"ttl": "2h"})
    assert renewed.status_code == 200, renewed.text
    assert {called_with(key) for key in (provider["key"], renewed.json["key"])} == {"InfraProvider"}
    assert renewed.json["key"] != provider["key"]


def test_renew_completes_a_provider_that_was_made_without_an_account(
    api: Caller, id: str, called_with: Callable[[str], str]
) -> None:
    api.post("resources/infraproviders", json={"id": id, "spec": {}})
    renewed = api.post(f"{URL}/{id}/actions/renew")
    assert called_with(renewed.json["key"]) == "InfraProvider"
    api.delete(f"{URL}/{id}")


def test_a_removed_provider_leaves_no_account_and_calls_no_more(
    api: Caller, provider: dict[str, Any], called_with: Callable[[str], str]
) -> None:
    answer = api.delete(f"{URL}/{provider['id']}")
    assert answer.status_code == 204, answer.text
    assert not has_account(api, provider["id"])
    with pytest.raises(omni_errors.OmniError):
        called_with(provider["key"])


def test_a_create_that_fails_at_the_account_leaves_nothing_and_can_be_repeated(
    api: Caller, simulator: RunningSimulator, id: str
) -> None:
    with simulator.faults.during(faults.Rule(method="*/CreateServiceAccount", error=REFUSED)):
        assert api.post(URL, json={"id": id}).status_code >= 400
    assert api.get(f"{URL}/{id}").status_code == 404
    assert api.post(URL, json={"id": id}).status_code == 201
    api.delete(f"{URL}/{id}")


def test_a_removal_that_fails_at_the_account_can_be_repeated(
    api: Caller, simulator: RunningSimulator, provider: dict[str, Any]
) -> None:
    url = f"{URL}/{provider['id']}"
    with simulator.faults.during(faults.Rule(method="*/DestroyServiceAccount", error=REFUSED)):
        assert api.delete(url).status_code >= 400
    assert has_account(api, provider["id"])
    assert api.delete(url).status_code == 204
    assert not has_account(api, provider["id"])


def test_keys_of_an_earlier_provider_do_not_become_those_of_a_new_one(api: Caller, omni: OmniClient, id: str) -> None:
    name = f"infra-provider:{id}"
    public = key_pairs.make(name, f"{id}@infra-provider.serviceaccount.omni.sidero.dev").public
    omni.management.create_service_account(name, public, role="InfraProvider")
    for query in ("?dry_run=true", ""):
        refused = api.post(f"{URL}{query}", json={"id": id})
        assert (refused.status_code, refused.json["code"]) == (409, "exists")
        assert name in refused.json["hint"]
    assert api.get(f"{URL}/{id}").status_code == 404
    omni.management.destroy_service_account(name)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"id": "Upper"}, "id"), ({"id": "a", "ttl": "9000h"}, "ttl"), ({"id": "a", "public_key": "x"}, "public_key")],
)
def test_what_omni_would_not_explain_is_refused_by_field(api: Caller, body: dict[str, Any], field: str) -> None:
    answer = api.post(URL, json=body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_readers_list_providers_and_make_none(reader: Caller, id: str) -> None:
    assert reader.get(URL).status_code == 200
    assert reader.post(URL, json={"id": id}).status_code == 403
