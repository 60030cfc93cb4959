"""What a plugin brings besides routes, in an application: settings, health checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import marshmallow as ma
import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient
from omni_gateway.plugins.discovery import BrokenPlugin, Found
from omni_gateway.sdk import Operation, OperationKind, Resource, ResourceAdapter, Role, SpecSchema
from omni_gateway.sdk.actions import Action, ComputedDocument, PluginError, ServicePlugin
from omni_gateway.sdk.extensions import CheckFailed, HealthCheck, PluginContext, Task, setting
from omni_gateway.sdk.omni import apply, omni_errors, types
from omni_gateway.settings import Settings, SettingsError
from omni_gateway.store import Store
from resources.configpatch import plugin as configpatches

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


class OutcomesSchema(SpecSchema):
    outcomes = ma.fields.List(ma.fields.Dict())


def write_by_plan(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    wanted = [Resource(**each) for each in body["wanted"]]
    gone = [Resource(**each) for each in body["gone"]]
    return {
        "outcomes": [each.to_dict() for each in apply(wanted, destroy=gone, dry_run=dry_run, atomic=body["atomic"])]
    }


class WritesSchema(SpecSchema):
    wanted = ma.fields.List(ma.fields.Dict(), load_default=list)
    gone = ma.fields.List(ma.fields.Dict(), load_default=list)
    atomic = ma.fields.Boolean(load_default=False)


def writes() -> ServicePlugin:
    action = Action(
        "write",
        on_collection=True,
        role=Role.OPERATOR,
        summary="Write",
        body=WritesSchema,
        answers=OutcomesSchema,
        cluster_independent=True,
        run=write_by_plan,
    )
    return ServicePlugin(name="writes", actions=[action])


def metal(id: str, *, valid: bool = True) -> dict[str, Any]:
    spec = {"match_labels": ["a = b"]} if valid else {"match_labels": ["a b = = c"]}
    return {"id": id, "type": types.MACHINE_CLASSES, "spec": spec}


def actions_of(answer: Any) -> list[str]:
    return [each["action"] for each in answer.json["outcomes"]]


def is_there(omni: OmniClient, id: str) -> bool:
    try:
        return not Resource.from_omni(omni.resources.get(types.MACHINE_CLASSES, id)).tearing_down
    except omni_errors.NotFound:
        return False


def test_a_plugin_writes_and_removes_objects_by_one_plan(make: Make, tokens: dict[str, str], omni: OmniClient) -> None:
    caller = Caller(make(writes()).test_client(), tokens["admin"])
    old, new = f"old-{uuid4().hex[:6]}", f"new-{uuid4().hex[:6]}"
    assert actions_of(caller.post("writes/actions/write", json={"wanted": [metal(old)]})) == ["created"]
    change = {"wanted": [metal(new)], "gone": [metal(old)], "atomic": True}

    planned = caller.post("writes/actions/write?dry_run=true", json=change)
    assert actions_of(planned) == ["created", "destroyed"]
    assert [each["diff"][0]["op"] for each in planned.json["outcomes"]] == ["add", "remove"]
    assert (is_there(omni, old), is_there(omni, new)) == (True, False)

    assert actions_of(caller.post("writes/actions/write", json=change)) == ["created", "destroyed"]
    assert (is_there(omni, old), is_there(omni, new)) == (False, True)
    assert actions_of(caller.post("writes/actions/write", json={"gone": [metal(new), metal(old)]})) == [
        "destroyed",
        "unchanged",
    ]


def test_nothing_is_removed_where_something_is_not_written(
    make: Make, tokens: dict[str, str], omni: OmniClient
) -> None:
    caller = Caller(make(writes()).test_client(), tokens["admin"])
    old, new = f"old-{uuid4().hex[:6]}", f"new-{uuid4().hex[:6]}"
    caller.post("writes/actions/write", json={"wanted": [metal(old)]})
    for atomic in (False, True):
        change = {"wanted": [metal(new, valid=False)], "gone": [metal(old)], "atomic": atomic}
        assert actions_of(caller.post("writes/actions/write", json=change)) == ["failed", "not-written"]
    assert is_there(omni, old)
    caller.post("writes/actions/write", json={"gone": [metal(old)]})


def test_each_object_of_a_plan_needs_the_role_and_the_clusters_of_its_type(
    make: Make, tokens: dict[str, str], settings: Settings
) -> None:
    app = make(writes(), configpatches)
    operator = Caller(app.test_client(), tokens["operator"])
    [of_admins] = operator.post("writes/actions/write", json={"wanted": [metal("metal")]}).json["outcomes"]
    assert of_admins["problem"]["detail"] == "This needs the role admin; yours is operator."
    restricted = Store(settings.database_url).tokens.create("some-clusters", "operator", None, ["mine-*"])[1]
    theirs = {"id": "their-patch", "type": types.CONFIG_PATCHES, "labels": {"omni.sidero.dev/cluster": "theirs"}}
    answer = Caller(app.test_client(), restricted).post("writes/actions/write", json={"wanted": [theirs]})
    [of_another_cluster] = answer.json["outcomes"]
    assert of_another_cluster["problem"]["detail"] == "You may access these clusters only: mine-*."
