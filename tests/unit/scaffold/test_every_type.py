"""Every type of Omni's that has no plugin can be scaffolded: the code is clean, loads, and fits the type's message."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import marshmallow as ma
import pytest

from omni_gateway.omni import messages
from omni_gateway.redaction.specs import names_secret
from omni_gateway.rest.fields import Masked, Secret
from omni_gateway.scaffold import omni_types, package
from omni_gateway.scaffold.answers import Answers
from omni_gateway.sdk import ResourcePlugin

OWN_KINDS = ("string", "strings", "boolean", "integer", "number", "time", "duration", "secret")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of each free type, and of each other kind."""
    root = tmp_path_factory.mktemp("packages")
    others = [
        Answers(
            "own-backend", "racks", "rack", "Rack", "Racks", fields=tuple(f"a_{kind}:{kind}" for kind in OWN_KINDS)
        ),
        Answers("service", "capacity", "capacity", "Capacity", "What Omni has", licence="MIT", author="Ada"),
    ]
    for answers in [*map(answers_of, free_types()), *others]:
        package.create(answers, root / answers.name)
    return root


@pytest.fixture(scope="module")
def plugins(folder: Path) -> Iterator[Mapping[str, ResourcePlugin]]:
    """The plugin of each free type, imported from its package."""
    types = {type: answers_of(type) for type in free_types()}
    with pytest.MonkeyPatch.context() as patch:
        for answers in types.values():
            patch.syspath_prepend(folder / answers.name)
        yield {type: importlib.import_module(answers.module).plugin for type, answers in types.items()}
    for answers in types.values():
        for name in [name for name in sys.modules if name.split(".")[0] == answers.module]:
            del sys.modules[name]


@cache
def free_types() -> list[str]:
    return [entry.name for entry in omni_types.entries_of_installed() if not entry.plugins]


def answers_of(type: str) -> Answers:
    name, singular = f"free-{omni_types.name_of_type(type)}", f"free-{omni_types.singular_of_type(type)}"
    return Answers("omni-type", name, singular, f"Free{messages.singular(type)}", "Objects of a type", type=type)


def test_there_are_types_to_write_plugins_for() -> None:
    assert len(free_types()) > 50


def test_the_code_of_every_package_is_clean(folder: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--no-cache"], ["format", "--no-cache", "--check"]):
        done = subprocess.run([*ruff, *command, str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]


def test_every_schema_has_the_fields_of_its_types_message(plugins: Mapping[str, ResourcePlugin]) -> None:
    for type, plugin in plugins.items():
        message = messages.message_of(type)
        wire = {
            field.attribute or name for name, field in plugin.schema.fields.items() if name in plugin.schema.spec_names
        }
        assert wire == set(messages.members(message) if message else ()), type


def test_every_plugin_is_of_its_type_and_namespace(plugins: Mapping[str, ResourcePlugin]) -> None:
    named = {entry.name: entry.namespace for entry in omni_types.entries([])}
    assert {plugin.adapter.type: plugin.adapter.namespace for plugin in plugins.values()} == {
        type: named[type] for type in plugins
    }


def test_every_example_loads(plugins: Mapping[str, ResourcePlugin]) -> None:
    for type, plugin in plugins.items():
        assert plugin.example is None or plugin.schema.validate(dict(plugin.example)) == {}, type


def test_a_verb_that_omni_refuses_to_all_has_no_route(plugins: Mapping[str, ResourcePlugin]) -> None:
    verbs = {"create": ["create"], "update": ["replace", "patch"], "destroy": ["delete"]}
    for type, plugin in plugins.items():
        refused = {verb for name in messages.refused_verbs(type) for verb in verbs[name]}
        assert refused.isdisjoint(plugin.roles), type


def test_no_secret_of_a_type_is_shown(plugins: Mapping[str, ResourcePlugin]) -> None:
    shown = [f"{type}: {path}" for type, plugin in plugins.items() for path in secrets_shown(type, plugin.schema)]
    assert shown == []


def secrets_shown(type: str, schema: ma.Schema, path: str = "") -> Iterator[str]:
    for name, field in schema.fields.items():
        inner = getattr(field, "value_field", None) or getattr(field, "inner", None) or field
        if isinstance(inner, ma.fields.Nested):
            if name != "metadata":
                yield from secrets_shown(type, inner.schema, f"{path}{name}.")
        elif names_secret(type, name) and not isinstance(inner, (Secret, Masked)):
            yield f"{path}{name}"
