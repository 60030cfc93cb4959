"""Platforms, schematics and installation media."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, Unique, problem
from tests.e2e.conftest import Versions

MEDIA = "installation-medias"
CONFIGS = "InstallationMediaConfigs.omni.sidero.dev"


def test_platforms_of_three_catalogues_stand_in_one_list(reader: httpx.Client) -> None:
    kinds = {item["kind"] for item in reader.get("platforms", params={"page_size": 1000}).json()}
    assert kinds == {"cloud", "metal", "sbc"}
    assert [item["id"] for item in reader.get("platforms?kind=metal").json()] == ["metal"]
    assert "AMD64" in reader.get("platforms/metal").json()["architectures"]
    problem(reader.get("platforms/nowhere"), 404, "not-found")
    problem(reader.get("platforms?kind=moon"), 422, "validation")


def test_a_schematic_is_named_by_its_content(operator: httpx.Client, versions: Versions, unique: Unique) -> None:
    body = {"talos_version": versions.talos, "extra_kernel_args": [f"made.by={unique('schematic')}"]}
    first, second = operator.post("schematics", json=body), operator.post("schematics", json=body)
    assert (first.status_code, second.status_code) == (201, 200), first.text
    assert first.json()["id"] == second.json()["id"]
    assert "jointoken=***" in first.json()["yaml"]


def test_a_schematic_that_was_made_is_read_before_any_machine_has_it(
    operator: httpx.Client, reader: httpx.Client, versions: Versions, unique: Unique
) -> None:
    body = {"talos_version": versions.talos, "extra_kernel_args": [f"made.by={unique('schematic')}"]}
    made = operator.post("schematics", json=body)
    read = reader.get(str(reader.base_url.join(made.headers["Location"])))
    assert (read.status_code, read.json()["machines"]) == (200, [])
    assert read.json()["extra_kernel_args"] == body["extra_kernel_args"]


def test_the_join_token_is_in_no_schematic(reader: httpx.Client, omni: OmniClient) -> None:
    tokens = [item["metadata"]["id"] for item in omni.resources.list("JoinTokens.omni.sidero.dev").items]
    text = reader.get("schematics", params={"page_size": 1000}).text
    assert [token[:2] for token in tokens if token in text] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"talos_version": "0.0.1"}, "talos_version"),
        ({"extensions": ["siderolabs/none-such"]}, "talos_version"),
        ({"talos_version": "*", "extensions": ["siderolabs/none-such"]}, "extensions.0"),
        ({"bootloader": "LILO"}, "bootloader"),
    ],
)
def test_bad_schematics_are_refused_by_field(
    operator: httpx.Client, versions: Versions, body: dict[str, Any], field: str
) -> None:
    sent = {**body, **({"talos_version": versions.talos} if body.get("talos_version") == "*" else {})}
    assert field in problem(operator.post("schematics", json=sent), 422, "validation")["errors"]


def test_schematics_never_change(operator: httpx.Client) -> None:
    problem(operator.put("schematics/x", json={}), 405, "method-not-allowed")
    problem(operator.delete("schematics/x"), 405, "method-not-allowed")


@pytest.fixture
def medium(operator: httpx.Client, made: Made, unique: Unique, versions: Versions) -> dict[str, Any]:
    body = {"id": unique("medium"), "architecture": "AMD64", "talos_version": versions.talos, "join_token": "secret"}
    answer = operator.post(MEDIA, json=body)
    assert answer.status_code == 201, answer.text
    made(f"{MEDIA}/{body['id']}")
    return dict(answer.json())


def test_a_configuration_is_in_omni_and_its_token_is_masked(omni: OmniClient, medium: dict[str, Any]) -> None:
    held = omni.resources.get(CONFIGS, medium["id"])["spec"]
    assert (held["architecture"], held["join_token"]) == (1, "secret")
    assert (medium["kind"], medium["join_token"]) == ("config", "***")


def test_what_was_read_can_be_sent_back(operator: httpx.Client, omni: OmniClient, medium: dict[str, Any]) -> None:
    answer = operator.put(f"{MEDIA}/{medium['id']}", json={**medium, "kernel_args": "console=ttyS0"})
    assert answer.status_code == 200, answer.text
    held = omni.resources.get(CONFIGS, medium["id"])["spec"]
    assert (held["join_token"], held["kernel_args"]) == ("secret", "console=ttyS0")
    assert "kind" not in held


def download_url(operator: httpx.Client, url: str, **body: str) -> dict[str, Any]:
    answer = operator.post(f"{url}/actions/download-url", json=body)
    if answer.status_code == 501:
        pytest.skip("this Omni cannot tell where images are (1.7 has no such call)")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_configuration_has_an_image(operator: httpx.Client, medium: dict[str, Any]) -> None:
    told = download_url(operator, f"{MEDIA}/{medium['id']}")
    assert told["schematic_id"] in told["url"]
    assert told["kind"] == "iso"


def test_the_catalogue_has_images_and_is_read_only(operator: httpx.Client, versions: Versions) -> None:
    listed = operator.get(MEDIA, params={"kind": "catalogue", "search": "aws-amd64"}).json()
    url = f"{MEDIA}/{listed[0]['id']}"
    assert listed[0]["architecture"] == "AMD64"
    told = download_url(operator, url, talos_version=versions.talos)
    assert told["schematic_id"] in told["url"]
    problem(operator.post(f"{url}/actions/download-url"), 422, "validation")
    problem(operator.patch(url, json={"kernel_args": "a"}), 403, "omni-forbidden")
    problem(operator.delete(url), 403, "omni-forbidden")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"architecture": None}, "architecture"),
        ({"cloud": {"platform": "aws"}, "sbc": {"overlay": "rpi_generic"}}, "sbc"),
        ({"join_token": "***"}, "join_token"),
    ],
)
def test_bad_configurations_are_refused_by_field(
    operator: httpx.Client, unique: Unique, change: dict[str, Any], field: str
) -> None:
    body = {"id": unique("medium"), "architecture": "AMD64", **change}
    assert field in problem(operator.post(MEDIA, json=body), 422, "validation")["errors"]
