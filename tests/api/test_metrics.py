"""The gateway's own metrics: each is in the table of the operators' page, and says what happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import omni_gateway.server.load_metrics  # noqa: F401  (its metrics are in the registry of a gateway under gunicorn)

from .conftest import Caller

pytestmark = pytest.mark.usefixtures("undocumented")

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "metrics.md"
Wait = Callable[..., Any]


def families(text: str) -> dict[str, Any]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family
        for family in text_string_to_metric_families(text)
        if not family.name.startswith("omni_gateway_plugin_") and not family.name.endswith("_created")
    }


def values(api: Caller) -> dict[tuple[str, ...], float]:
    text = api.get("/metrics").text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_page_has_each_metric_with_its_type_and_labels(api: Caller) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", PAGE.read_text(), flags=re.M)
    shown = families(api.get("/metrics").text)
    assert {(name, kind, text) for name, kind, _, text in rows} == {
        (name, family.type, family.documentation) for name, family in shown.items()
    }
    labels = {name: set(re.findall(r"`(\w+)`", text)) for name, _, text, _ in rows}
    for name, family in shown.items():
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == labels[name]


def test_the_cache_shows_its_types_and_answers(api: Caller, wait_until: Wait) -> None:
    hit = ("omni_gateway_cache_responses_total", "", "hit")
    before = values(api).get(hit, 0)
    wait_until(lambda: "hit" in api.get("machines").headers["Cache-Status"], 30, "an answer from the cache")

    after = values(api)

    type = "MachineStatuses.omni.sidero.dev"
    assert after[hit] > before
    assert after["omni_gateway_cache_objects", type] > 0
    assert after["omni_gateway_cache_bytes", type] > 0
    assert after["omni_gateway_cache_resyncs_total", type] >= 1


def test_problems_and_callers_are_counted(api: Caller, app: Any) -> None:
    before = values(api)

    assert Caller(app.test_client(), "wrong").get("machines").status_code == 401

    after = values(api)
    for name in (("omni_gateway_problems_total",), ("omni_gateway_authentications_total", "")):
        assert after[*name, "unauthenticated"] == before.get((*name, "unauthenticated"), 0) + 1
    assert after["omni_gateway_authentications_total", "token", "accepted"] >= 1
