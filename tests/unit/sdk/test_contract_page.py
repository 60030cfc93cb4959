"""docs/plugins/contract.md has a row for each field of a declaration."""

from __future__ import annotations

import inspect
import re

import pytest

from omni_gateway.sdk import Filter, OperationKind, ResourceAdapter, ResourcePlugin, SubResource
from omni_gateway.sdk.actions import Action, ComputedDocument, ServicePlugin, SubCollection, SubList
from tests.sdk_reference import page

CONTRACT = page.PATH.with_name("contract.md").read_text()
PARTS = [Filter, SubResource, SubList, SubCollection, Action, ComputedDocument, OperationKind]
#: Methods that the gateway or a plugin calls, not for a plugin to define.
CALLED_BY_PLUGINS = {"bind", "polled"}


def test_every_field_of_a_resource_plugin_has_a_row() -> None:
    assert sorted(fields(ResourcePlugin)) == sorted(rows("`ResourcePlugin`"))


def test_every_field_of_a_service_plugin_is_described() -> None:
    assert sorted(fields(ServicePlugin)) == sorted(
        {*rows("`ServicePlugin`"), *named("`ServicePlugin`", "It has", "as above")}
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_of_a_part_has_a_row(part: type) -> None:
    found, current = [], ""
    for row in section("The parts").splitlines():
        cells = row.split("|")
        current = re.sub(r"\W", "", cells[1]) or current if len(cells) > 3 else current
        found += re.findall(r"`(\w+)`", cells[2]) if len(cells) > 3 and current == part.__name__ else []
    assert sorted(found) == sorted(fields(part))


def test_every_method_and_attribute_of_an_adapter_is_described() -> None:
    text = section("What each verb needs of the adapter")
    wanted = {name for name in {**vars(ResourceAdapter), **ResourceAdapter.__annotations__} if not name.startswith("_")}
    described = set(re.findall(r"`(\w+)(?:\([^`]*\))?`", text))
    assert sorted(wanted - CALLED_BY_PLUGINS - described) == []


def fields(declared: type) -> list[str]:
    return list(inspect.signature(declared).parameters)


def rows(heading: str) -> list[str]:
    """Return the names in the first column of a section's table."""
    first = re.findall(r"^\|([^|]*)\|", section(heading), flags=re.M)
    return [name for cell in first for name in re.findall(r"`(\w+)`", cell)]


def named(heading: str, start: str, end: str) -> list[str]:
    """Return the names in backticks between two texts of a section."""
    return re.findall(r"`(\w+)`", section(heading).split(start)[1].split(end)[0])


def section(heading: str) -> str:
    return CONTRACT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
