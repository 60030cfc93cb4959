"""What a machine that boots without an image of this Omni's joins with: its configuration, its kernel arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.api.conftest import Caller


@pytest.fixture(scope="module")
def token(app: Any, tokens: dict[str, str]) -> dict[str, Any]:
    caller: Any = Caller(app.test_client(), tokens["admin"])
    return dict(caller.post("join-tokens", json={"name": "documents"}).get_json())


def test_the_machine_configuration_names_omni_with_the_token(api: Any, token: dict[str, Any]) -> None:
    answer = api.get(f"join-tokens/{token['id']}/machine-config")
    documents = {each["kind"]: each for each in yaml.safe_load_all(answer.data)}
    assert (answer.status_code, answer.mimetype) == (200, "application/yaml")
    assert f"jointoken={token['token']}" in documents["SideroLinkConfig"]["apiUrl"]


def test_the_kernel_arguments_name_omni_with_the_token(api: Any, token: dict[str, Any]) -> None:
    answer = api.get(f"join-tokens/{token['id']}/kernel-args")
    [omni] = [line for line in answer.get_data(as_text=True).splitlines() if line.startswith("siderolink.api=")]
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert f"jointoken={token['token']}" in omni


@pytest.mark.parametrize("document", ["machine-config", "kernel-args"])
def test_a_tunnel_is_used_where_it_is_asked_for(api: Any, token: dict[str, Any], document: str) -> None:
    plain, tunnelled = (
        api.get(f"join-tokens/{token['id']}/{document}{query}").get_data(as_text=True)
        for query in ("", "?grpc_tunnel=true")
    )
    assert ("grpc_tunnel=" in plain, "grpc_tunnel=" in tunnelled) == (False, True)


@pytest.mark.parametrize("document", ["machine-config", "kernel-args"])
def test_they_are_for_admins_are_not_cached_and_leave_an_audit_line(
    api: Any, reader: Any, token: dict[str, Any], document: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"join-tokens/{token['id']}/{document}"
    assert reader.get(path).status_code == 403
    caplog.clear()
    answer = api.get(path)
    [line] = [json.loads(record.getMessage()) for record in caplog.records if record.name == "omni_gateway.audit"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert (line["route"], line["status"]) == (f"/api/v1/join-tokens/<id>/{document}", 200)
    assert token["token"] not in caplog.text


@pytest.mark.parametrize("document", ["machine-config", "kernel-args"])
def test_of_a_token_that_is_not_there_they_are_404(api: Any, document: str) -> None:
    assert api.get(f"join-tokens/{'0' * 32}/{document}").status_code == 404
