"""What a plugin brings besides routes, in an application: settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.discovery import BrokenPlugin, Found
from omni_gateway.sdk import ResourceAdapter, Role, SpecSchema
from omni_gateway.sdk.actions import ComputedDocument, ServicePlugin
from omni_gateway.sdk.extensions import setting
from omni_gateway.settings import Settings

from .conftest import Caller

Make = Callable[..., Flask]


@pytest.fixture
def make(settings: Settings, monkeypatch: pytest.MonkeyPatch, undocumented: None) -> Make:
    """Makes an application with plugins of another distribution, and variables of the environment."""

    def app_with(*plugins: ServicePlugin, **environ: str) -> Flask:
        found = [Found(plugin.name, f"{__name__}:plugin", "acme", "1.2", "loaded", plugin) for plugin in plugins]
        monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
        return create_app(replace(settings, environ=environ))

    return app_with


@dataclass(frozen=True)
class GreetingSettings:
    text: str = setting("What is said")


class GreetingSchema(SpecSchema):
    text = ma.fields.String()


def greet(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"text": adapter.settings.text}


def greetings() -> ServicePlugin:
    document = ComputedDocument(
        "", on_collection=True, role=Role.READER, summary="Greet", answers=GreetingSchema, run=greet
    )
    return ServicePlugin(name="greetings", documents=[document], settings=GreetingSettings)


def test_a_function_reads_the_settings_of_its_plugin_from_its_adapter(make: Make, tokens: dict[str, str]) -> None:
    app = make(greetings(), OMNI_GATEWAY_GREETINGS_TEXT="hello")
    answer = Caller(app.test_client(), tokens["reader"]).get("greetings")
    assert answer.json["text"] == "hello"


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
