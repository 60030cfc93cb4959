"""An operation is read by those who may read the object it is about, and reading it changes nothing."""

from __future__ import annotations

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.auth import Role
from omni_gateway.plugins.discovery import BrokenPlugin, Found
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.sdk import (
    READ_WRITE,
    NotFound,
    Operation,
    OperationKind,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
)
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator

from .conftest import Caller

ADMIN_ONLY = ("user-destroy", "service-account-destroy", "token-destroy", "join-token-destroy")


class Unheld(ResourceAdapter):
    """One object that is tearing down, held by nothing: Omni 1.7 leaves most types so."""

    def __init__(self) -> None:
        self.held = {"note-1": Resource("note-1", phase="tearingDown")}

    def get(self, id: str) -> Resource:
        if id not in self.held:
            raise NotFound(id)
        return self.held[id]

    def delete(self, resource: Resource) -> None:
        del self.held[resource.id]


@pytest.mark.parametrize("kind", ADMIN_ONLY)
def test_whether_an_admins_object_exists_is_told_to_admins_only(kind: str, reader: Caller, api: Caller) -> None:
    known = api.get("auth/tokens").json[0]["id"]
    for id in (known, "no-such-thing"):
        answer = reader.get(f"operations/{kind}/{id}")
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert api.get(f"operations/{kind}/no-such-thing").json["state"] == "succeeded"


@pytest.mark.parametrize("role", ["None", "Reader", "Operator"])
def test_an_omni_account_without_a_role_here_reads_no_operation_of_the_gateways_own_objects(
    app: Flask, simulator: RunningSimulator, role: str
) -> None:
    answer = Caller(app.test_client(), simulator.make_key(role)).get("operations/token-destroy/any")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_an_operation_takes_the_role_that_reading_its_object_takes(app: Flask) -> None:
    gateway: Gateway = app.extensions[EXTENSION]
    expected = {
        kind.name: max(plugin.roles[verb] for verb in ("get", "list") if verb in plugin.roles)
        for plugin in gateway.plugins.values()
        for kind in getattr(plugin, "operations", ())
    }
    assert {kind: gateway.operation_roles[kind] for kind in expected} == expected
    assert gateway.operation_roles.keys() == gateway.operations.keys()
    assert {kind for kind, role in expected.items() if role is Role.ADMIN} >= set(ADMIN_ONLY)


def test_the_list_of_kinds_says_which_role_each_takes(reader: Caller) -> None:
    roles = {item["kind"]: item["role"] for item in reader.get("operation-kinds").json}
    assert (roles["cluster-destroy"], roles["token-destroy"]) == ("reader", "admin")


def test_a_kind_of_operation_without_a_role_does_not_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = OperationKind("nap", lambda omni, id: Operation("nap", id, "running"))
    plugin = ServicePlugin(name="house/naps", operations=[kind])
    found = [Found("naps", "house:naps", "house", "1.0", "loaded", plugin)]
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
    with pytest.raises(BrokenPlugin, match=r"plugin 'naps' \(house:naps\) of house 1.0: .*'nap' needs a role"):
        create_app(settings)


def test_reading_a_removal_removes_nothing_and_the_delete_sent_again_does(
    settings: Settings, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = Unheld()
    notes = ResourcePlugin(name="notes", singular="note", schema=ResourceSchema, adapter=adapter, roles=READ_WRITE)
    found = [Found("notes", "house:notes", "house", "1.0", "loaded", notes)]
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
    client = create_app(settings).test_client()

    operation = Caller(client, tokens["reader"]).get("operations/note-destroy/note-1").json

    assert operation["state"] == "running"
    assert "send the DELETE again" in operation["progress"]
    assert "note-1" in adapter.held
    assert Caller(client, tokens["operator"]).delete("notes/note-1").status_code == 204
