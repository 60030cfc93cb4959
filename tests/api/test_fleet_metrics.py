"""``/metrics/fleet``: Omni's objects by the names of Omni's exporter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of

from .conftest import Caller

pytestmark = pytest.mark.usefixtures("undocumented")

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "metrics.md"
Wait = Callable[..., Any]
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def fleet(api: Caller, wait_until: Wait) -> Series:
    """The metrics once all types have been listed."""
    up = ("omni_exporter_up", frozenset[tuple[str, str]]())
    return wait_until(lambda: found if (found := series(api.get("/metrics/fleet").text))[up] else None, 60, "all types")


def test_each_machine_is_shown_as_the_exporter_shows_it(fleet: Series, api: Caller) -> None:
    machine = api.get("machines?page_size=1").json[0]
    id = machine["id"]
    info = next(
        dict(labels) for name, labels in fleet if name.endswith("machine_info") and ("machine_id", id) in labels
    )
    assert info.keys() == {
        *("machine_id", "cluster_id", "role", "hostname", "management_address", "talos_version", "platform", "arch")
    }
    assert info["talos_version"] == machine["talos_version"]
    assert info["management_address"] == machine["management_address"]
    assert info["arch"] == machine["hardware"]["arch"]
    connected = fleet["omni_exporter_machine_connected", frozenset({("machine_id", id)})]
    assert connected == machine["connected"]
    states = {
        value: dict(labels)["state"]
        for (name, labels), value in fleet.items()
        if name == "omni_exporter_machine_power_state" and ("machine_id", id) in labels
    }
    assert states[1] in ("unknown", "unsupported", "on", "off")


def test_the_totals_are_those_of_the_list(fleet: Series, api: Caller) -> None:
    total = json.loads(api.get("machines?page_size=1").headers["X-Pagination"])["total"]
    assert fleet["omni_machines", frozenset()] == total
    versions = [value for (name, _), value in fleet.items() if name == "omni_machines_version"]
    assert sum(versions) == total


def test_each_series_is_in_the_table_of_the_page(fleet: Series) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| [^|]* \|$", PAGE.read_text(), flags=re.M)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert {name: {label for label, _ in labels} for name, labels in fleet}.items() <= documented.items()


def test_without_machines_there_are_totals_only(fleet: Series, api: Caller) -> None:
    names = {name for name, _ in series(api.get("/metrics/fleet?machines=false").text)}
    assert "omni_machines" in names
    assert not [name for name, labels in fleet if name in names and "machine_id" in dict(labels)]


def test_work_under_way_is_counted_on_request(fleet: Series, api: Caller) -> None:
    answer = api.get("/metrics/fleet?machines=false&operations=true")
    assert answer.status_code == 200
    assert "omni_gateway_fleet_watch_up" in answer.text


def test_callers_of_some_clusters_are_refused(app: Flask, settings: Settings) -> None:
    store = store_of(settings)
    token = store.tokens.create("fleet-of-one", "reader", None, ["one"])[1]
    assert Caller(app.test_client(), token).get("/metrics/fleet").status_code == 403  # type: ignore[attr-defined]
    store.close()


def test_each_collector_tells_whether_it_succeeds(fleet: Series) -> None:
    collectors = {dict(labels)["collector"] for name, labels in fleet if name == "omni_exporter_collector_success"}
    assert collectors >= {"clusters", "machines", "machine_sets", "cluster_machines", "etcd_backups"}
