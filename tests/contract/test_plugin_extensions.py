"""What a plugin brings besides routes, in an application: settings, health checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.discovery import BrokenPlugin, Found
from omni_gateway.sdk import Operation, OperationKind, ResourceAdapter, Role, SpecSchema
from omni_gateway.sdk.actions import Action, ComputedDocument, PluginError, ServicePlugin
from omni_gateway.sdk.extensions import CheckFailed, HealthCheck, PluginContext, Task, setting
from omni_gateway.settings import Settings, SettingsError

from .conftest import Caller

Make = Callable[..., Flask]


@pytest.fixture
def make(settings: Settings, monkeypatch: pytest.MonkeyPatch, undocumented: None) -> Make:
    """Makes an application with plugins of another distribution, and variables of the environment."""

    def app_with(*plugins: ServicePlugin, requires: tuple[str, ...] = (), **environ: str) -> Flask:
        found = [Found(plugin.name, f"{__name__}:plugin", "acme", "1.2", "loaded", plugin) for plugin in plugins]
        monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
        return create_app(replace(settings, environ=environ, readiness_requires=requires))

    return app_with


GREETING = {"OMNI_GATEWAY_GREETINGS_TEXT": "hello"}


@dataclass(frozen=True)
class GreetingSettings:
    text: str = setting("What is said")


class GreetingSchema(SpecSchema):
    text = ma.fields.String()


def greet(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"text": adapter.settings.text}


def greet_by_action(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    return {"text": adapter.settings.text}


def greetings() -> ServicePlugin:
    document = ComputedDocument(
        "", on_collection=True, role=Role.READER, summary="Greet", answers=GreetingSchema, run=greet
    )
    action = Action(
        "greet", on_collection=True, role=Role.READER, summary="Greet", answers=GreetingSchema, run=greet_by_action
    )
    return ServicePlugin(name="greetings", documents=[document], actions=[action], settings=GreetingSettings)


def test_a_function_reads_the_settings_of_its_plugin_from_its_adapter(make: Make, tokens: dict[str, str]) -> None:
    app = make(greetings(), **GREETING)
    caller = Caller(app.test_client(), tokens["reader"])
    assert caller.get("greetings").json["text"] == "hello"
    assert caller.post("greetings/actions/greet").json["text"] == "hello"


def greeting(adapter: ResourceAdapter, id: str) -> Operation:
    return Operation("greeting", id, "running", adapter.settings.text)


def test_an_operation_is_read_by_functions_that_have_the_settings_of_the_plugin(
    make: Make, tokens: dict[str, str]
) -> None:
    def under_way(adapter: ResourceAdapter) -> list[Operation]:
        return [greeting(adapter, "all")]

    kind = OperationKind("greeting", greeting, role=Role.READER, under_way=under_way, takes_adapter=True)
    app = make(ServicePlugin(name="greetings", operations=[kind], settings=GreetingSettings), **GREETING)
    caller = Caller(app.test_client(), tokens["reader"])
    assert caller.get("operations/greeting/one").json["progress"] == "hello"
    assert [each["progress"] for each in caller.get("operations?kind=greeting").json] == ["hello"]


def test_wrong_settings_stop_the_start_with_the_plugin_and_the_variable(make: Make) -> None:
    with pytest.raises(BrokenPlugin) as stopped:
        make(greetings())
    assert "plugin 'greetings' " in str(stopped.value)
    assert "OMNI_GATEWAY_GREETINGS_TEXT has to be set: What is said" in str(stopped.value)


def test_a_plugin_may_not_have_a_variable_of_the_gateways(make: Make) -> None:
    @dataclass(frozen=True)
    class MaxSettings:
        streams: int = setting("How many", 1)

    with pytest.raises(BrokenPlugin, match="OMNI_GATEWAY_MAX_STREAMS is the name of another setting"):
        make(ServicePlugin(name="max", settings=MaxSettings))


def unwell(context: PluginContext) -> None:
    raise CheckFailed(f"{context.settings.text} is away")


def checked() -> ServicePlugin:
    return ServicePlugin(name="checked", settings=GreetingSettings, health_checks=[HealthCheck("inventory", unwell)])


@pytest.mark.parametrize(("requires", "status"), [((), 200), (("checked/inventory",), 503)])
def test_a_failing_check_of_a_plugin_is_shown_and_makes_the_gateway_unready_only_where_it_is_required(
    make: Make, requires: tuple[str, ...], status: int
) -> None:
    app = make(checked(), OMNI_GATEWAY_CHECKED_TEXT="the inventory", requires=requires)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["failed"]) == (status, ["checked/inventory"])
    assert answer.json["checks"]["checked/inventory"]["reason"] == "the inventory is away"


def test_a_required_check_that_there_is_not_is_refused(make: Make) -> None:
    with pytest.raises(SettingsError, match="READINESS_REQUIRES takes omni, store, checked/inventory, not checked/x"):
        make(checked(), OMNI_GATEWAY_CHECKED_TEXT="x", requires=("checked/x",))


@pytest.mark.parametrize(
    "twins",
    [
        {"tasks": [Task("read", lambda context: None)] * 2},
        {"health_checks": [HealthCheck("read", lambda context: None)] * 2},
    ],
    ids=lambda twins: next(iter(twins)),
)
def test_two_of_one_name_are_refused_when_the_plugin_is_made(twins: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match="of the name 'read'"):
        ServicePlugin(name="twins", **twins)
