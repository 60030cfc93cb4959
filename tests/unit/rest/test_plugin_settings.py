"""A plugin's settings: typed, checked at the start, from variables that are named after the plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import marshmallow as ma
import pytest

from omni_gateway.cli.effective_settings import effective_settings
from omni_gateway.environment.variables import SettingsError
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.plugin_settings import load
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.extensions import setting

URL = "OMNI_GATEWAY_RACK_UNITS_URL"
TOKEN = "OMNI_GATEWAY_RACK_UNITS_TOKEN"
EVERY = "OMNI_GATEWAY_RACK_UNITS_EVERY"


@dataclass(frozen=True)
class RackSettings:
    url: str = setting("URL of the inventory")
    token: str = setting("Its token", "", secret=True, validate=ma.validate.Length(min=8))
    every: float = setting("Seconds between two reads", 60.0, validate=ma.validate.Range(min=1))
    rooms: tuple[str, ...] = setting("Rooms to show, comma separated", ())
    ca_file: Path | None = setting("Authorities to trust", None)
    mode: Literal["fast", "full"] = setting("How much is read", "fast")


def loaded(environ: Mapping[str, str]) -> Any:
    return load("rack-units", RackSettings, environ, ["OMNI_GATEWAY_RACK_UNITS_OF_ANOTHER", "OMNI_GATEWAY_THREADS"])


def test_variables_set_fields_by_their_types_and_others_have_their_defaults() -> None:
    settings = loaded({URL: "http://x", EVERY: "2.5", "OMNI_GATEWAY_RACK_UNITS_ROOMS": "a, b"})
    assert settings == RackSettings(url="http://x", every=2.5, rooms=("a", "b"))


def test_a_secret_may_stand_in_a_file_unless_the_plugin_has_a_setting_of_that_name(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class OwnFile:
        token: str = setting("The token", "", secret=True)
        token_file: str = setting("Where the plugin itself reads a token", "")

    file = tmp_path / "token"
    file.write_text("longs3cret\n")
    assert loaded({URL: "http://x", f"{TOKEN}_FILE": str(file)}).token == "longs3cret"
    assert load("rack-units", OwnFile, {f"{TOKEN}_FILE": "/there"}, []) == OwnFile(token_file="/there")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, [URL, "has to be set", "URL of the inventory"]),
        ({URL: "x", EVERY: "soon"}, [EVERY, "Not a valid number", "'soon'"]),
        ({URL: "x", EVERY: "0"}, [EVERY, "greater than or equal to 1"]),
        ({URL: "x", "OMNI_GATEWAY_RACK_UNITS_MODE": "slow"}, ["OMNI_GATEWAY_RACK_UNITS_MODE", "fast or full"]),
        ({URL: "x", "OMNI_GATEWAY_RACK_UNITS_TOKN": "1"}, ["OMNI_GATEWAY_RACK_UNITS_TOKN", f"did you mean {TOKEN}?"]),
        ({URL: "x", "OMNI_GATEWAY_RACK_UNITS_X": "1"}, ["OMNI_GATEWAY_RACK_UNITS_X", "those of the plugin are", URL]),
    ],
)
def test_what_is_wrong_is_told_by_the_name_of_the_variable(environ: Mapping[str, str], words: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(environ)
    assert [word for word in words if word not in str(refused.value)] == []


def test_a_secret_is_not_in_the_error_that_refuses_it_nor_in_the_repr() -> None:
    with pytest.raises(SettingsError) as refused:
        loaded({URL: "x", TOKEN: "s3cret"})
    assert TOKEN in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(RackSettings(url="x", token="s3cret"))


@pytest.mark.parametrize(
    "name",
    [
        "OMNI_GATEWAY_RACK_UNITS_OF_ANOTHER",
        "OMNI_GATEWAY_RACK_UNITS_SERVICE_HOST",
        "OMNI_GATEWAY_RACK_UNITS_PORT_80_TCP_ADDR",
        "OMNI_GATEWAY_RACKS_URL",
    ],
)
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert loaded({URL: "x", name: "1"}) == RackSettings(url="x")


def test_two_settings_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="OMNI_GATEWAY_RACK_UNITS_URL is the name of another setting"):
        load("rack-units", RackSettings, {URL: "x"}, [URL])


def test_a_class_that_is_no_settings_is_refused_when_the_plugin_is_made() -> None:
    @dataclass(frozen=True)
    class Mapped:
        table: dict[str, str] = setting("A table", None)

    for cls, words in ((Mapped, "Mapped.table: no text becomes"), (dict, "is not a dataclass")):
        with pytest.raises(SettingsError, match=words):
            ServicePlugin(name="rack-units", settings=cls)


def test_settings_in_effect_are_told_with_their_source_and_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "gateway.env"
    file.write_text(f"{URL}=http://racks\nOMNI_GATEWAY_FLEET=3\n")
    environ = {
        "OMNI_GATEWAY_CONFIG_FILE": str(file),
        "OMNI_GATEWAY_REDIS_URL": "redis://:pa55word@r/0",
        "SIDERO_SERVICE_ACCOUNT_KEY": "k3y",
        TOKEN: "longs3cret",
    }
    plugin = ServicePlugin(name="rack-units", settings=RackSettings)
    found = [Found("rack-units", "racks:plugin", "acme-racks", "1.0", "loaded", plugin)]
    rows = {each.variable: (each.source, each.value) for each in effective_settings(environ, found)}
    assert rows[URL] == ("file", "http://racks")
    assert rows[EVERY] == ("default", "60.0")
    assert rows["OMNI_GATEWAY_FLEET"] == ("file", "3")
    secrets = [rows[name] for name in (TOKEN, "OMNI_GATEWAY_REDIS_URL", "SIDERO_SERVICE_ACCOUNT_KEY")]
    assert secrets == [("environment", "***")] * 3


def test_the_source_of_a_secret_in_a_file_is_told_with_its_path(tmp_path: Path) -> None:
    file = tmp_path / "redis-url"
    file.write_text("redis://:pa55word@r/0\n")
    rows = effective_settings({"OMNI_GATEWAY_REDIS_URL_FILE": str(file)}, [])
    [redis] = [each.to_dict() for each in rows if each.variable == "OMNI_GATEWAY_REDIS_URL"]
    told = {"variable": "OMNI_GATEWAY_REDIS_URL", "source": "secret file", "path": str(file)}
    assert redis == told | {"value": "***", "secret": True}
