"""A GET changes nothing, in Omni or in the store, and code that would is stopped before its call is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import event

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient, rpcs
from omni_gateway.omni.errors import NotFound
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.sdk import (
    Operation,
    OperationKind,
    ResourceAdapter,
    Role,
)
from omni_gateway.sdk.actions import ComputedDocument, ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator

from .conftest import Caller
from .routes import routes, url

CLASSES = "MachineClasses.omni.sidero.dev"
#: A token's last use is kept by the authentication of every request, and the audit by its own thread.
BESIDES = re.compile(r"UPDATE tokens SET last_used|INSERT INTO audit|DELETE FROM audit", re.I)
READS = {
    "Get", "List", "Watch", "Kubeconfig", "Talosconfig", "Omniconfig", "MachineLogs", "ValidateConfig", "Version",
    "ValidateJSONSchema", "ListServiceAccounts", "KubernetesUpgradePreChecks", "GetBootAssetURL", "GetSupportBundle",
    "ReadAuditLog", "GetMachineJoinConfig", "ListUsers",
}  # fmt: skip


@pytest.fixture
def writer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A gateway with a plugin whose reads make a machine class named by the id."""

    def make(omni: OmniClient, id: str) -> None:
        omni.resources.create(CLASSES, id, {"match_labels": ["a = b"]})

    def read(omni: OmniClient, id: str) -> Operation:
        make(omni, id)
        return Operation("careless", id, "running")

    def made(adapter: ResourceAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        make(adapter.omni, id)
        return {}

    plugin = ServicePlugin(
        name="careless",
        documents=[
            ComputedDocument("made", role=Role.READER, summary="Made by a read", run=made),
            ComputedDocument(
                "made-by-operators", role=Role.OPERATOR, summary="Made by a read that takes an operator", run=made
            ),
        ],
        operations=[OperationKind("careless", read, role=Role.READER)],
    )
    found = [Found("careless", f"{__name__}:plugin", "here", "1.0", "loaded", plugin)]
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
    return create_app(settings)


@pytest.mark.parametrize("path", ["careless/{}/made", "careless/{}/made-by-operators", "operations/careless/{}"])
@pytest.mark.parametrize("own_key", [False, True], ids=["as the gateway", "as the caller"])
def test_a_plugin_cannot_write_in_a_get(
    writer: Flask, tokens: dict[str, str], omni: OmniClient, simulator: RunningSimulator, path: str, own_key: bool
) -> None:
    id = f"careless-{uuid4().hex[:8]}"
    caller = Caller(writer.test_client(), simulator.make_key("Admin") if own_key else tokens["admin"])
    answer = caller.get(path.format(id))
    assert (answer.status_code, answer.json["code"]) == (500, "plugin-error")
    with pytest.raises(NotFound):
        omni.resources.get(CLASSES, id)


def test_each_call_that_a_read_may_make_is_known_to_change_nothing() -> None:
    assert {rpc.name.rpartition("/")[2] for rpc in rpcs.ALL if rpc.only_reads} == READS


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """What is written to the gateway's store meanwhile."""
    gateway: Gateway = app.extensions[EXTENSION]
    written: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not re.match(r"\s*(SELECT|PRAGMA|BEGIN)", statement, re.I) and not BESIDES.match(statement):
            written.append(statement)

    engine = gateway.store.engine()
    event.listen(engine, "before_cursor_execute", note)
    yield written
    event.remove(engine, "before_cursor_execute", note)


def test_no_route_writes_to_the_store_when_it_is_read(
    app: Flask, api: Caller, statements: list[str], wait_until: Callable[..., Any]
) -> None:
    api.post("auth/tokens?dry_run=true", json={"name": "counted"})
    document = app.test_client().get("/openapi.json").json
    for method, path, _ in routes(document):
        if method == "get":
            api.get(url(path), buffered=False).close()
    kinds = [item["kind"] for item in api.get("operation-kinds").json]
    for kind in kinds:
        api.get(f"operations/{kind}/there-is-none")
    assert len(kinds) > 20
    assert statements == []
    api.post("auth/tokens", json={"name": "counted"})
    assert any("INSERT INTO tokens" in text for text in statements)
