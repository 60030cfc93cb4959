"""A plugin's metrics: at /metrics, under its prefix, with bounded series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from omni_gateway.plugins.discovery import BrokenPlugin
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.extensions import Counter, Gauge, Histogram
from omni_gateway.settings import Settings

from .conftest import Caller
from .guide_page import names_of
from .mounted_plugins import app_of, running

pytestmark = pytest.mark.usefixtures("undocumented")

Wait = Callable[..., Any]
PREFIX = "omni_gateway_plugin_acme_things"


def samples(app: Flask, token: str) -> dict[tuple[str, ...], float]:
    text = Caller(app.test_client(), token).get("/metrics").text  # type: ignore[attr-defined]
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_each_metric_is_shown_under_the_plugins_prefix(settings: Settings, tokens: dict[str, str]) -> None:
    hits, size, seconds = Counter("hits", "Hits", labels=["kind"]), Gauge("size", "Size"), Histogram("seconds", "Time")
    app = app_of(settings, [ServicePlugin(name="acme/things", metrics=[hits, size, seconds])])

    hits.inc(kind="a")
    hits.inc(2, kind="a")
    size.set(7)
    size.inc(-2)
    seconds.observe(0.02)

    shown = samples(app, tokens["reader"])
    assert shown[f"{PREFIX}_hits_total", "a"] == 3
    assert shown[f"{PREFIX}_size",] == 5
    assert (shown[f"{PREFIX}_seconds_count",], shown[f"{PREFIX}_seconds_bucket", "0.025"]) == (1, 1)


def test_further_series_than_the_bound_are_counted_together(settings: Settings, tokens: dict[str, str]) -> None:
    hits = Counter("hits", "Hits", labels=["kind"], most_series=2)
    app = app_of(settings, [ServicePlugin(name="acme/things", metrics=[hits])])

    for kind in ("a", "b", "c", "d", "a"):
        hits.inc(kind=kind)

    shown = samples(app, tokens["reader"])
    assert [shown[f"{PREFIX}_hits_total", kind] for kind in ("a", "b", "other")] == [2, 1, 2]
    assert (f"{PREFIX}_hits_total", "c") not in shown


def test_a_long_value_of_a_label_is_cut(settings: Settings, tokens: dict[str, str]) -> None:
    hits = Counter("hits", "Hits", labels=["kind"])
    app = app_of(settings, [ServicePlugin(name="acme/things", metrics=[hits])])

    hits.inc(kind="x" * 1000)

    assert (f"{PREFIX}_hits_total", "x" * 100) in samples(app, tokens["reader"])


def test_other_labels_than_the_declared_ones_are_refused() -> None:
    hits = Counter("hits", "Hits", labels=["kind"])
    ServicePlugin(name="acme/things", metrics=[hits])

    with pytest.raises(ValueError, match=r"acme_things_hits has the labels \['kind'\], not \['sort'\]"):
        hits.inc(sort="a")


def test_a_metric_of_no_plugin_cannot_be_used() -> None:
    with pytest.raises(RuntimeError, match="'hits' is in no plugin's `metrics`"):
        Counter("hits", "Hits").inc()


def test_a_metric_is_of_one_plugin_only() -> None:
    hits = Counter("hits", "Hits")
    ServicePlugin(name="acme/things", metrics=[hits])

    with pytest.raises(ValueError, match="acme_things_hits belongs to a plugin already"):
        ServicePlugin(name="other", metrics=[hits])


@pytest.mark.parametrize(("name", "labels"), [("Hits", []), ("hits per second", []), ("hits", ["le-gal"])])
def test_a_name_that_prometheus_would_not_take_is_refused(name: str, labels: list[str]) -> None:
    with pytest.raises(ValueError, match="is no name of a metric or label"):
        Counter(name, "Hits", labels=labels)


def test_two_plugins_whose_metrics_have_one_name_stop_the_start(settings: Settings) -> None:
    plugins = [ServicePlugin(name=name, metrics=[Counter("hits", "Hits")]) for name in ("acme-things", "acme/things")]

    with pytest.raises(BrokenPlugin, match=r"the metric .*acme_things_hits is taken by the plugin 'acme-things'"):
        app_of(settings, plugins)


def test_the_guides_plugin_counts_the_changes_of_machine_classes(
    api: Caller, settings: Settings, tokens: dict[str, str], wait_until: Wait, tmp_path: Path
) -> None:
    api.post("machineclasses", json={"id": "counted", "match_labels": ["omni.sidero.dev/platform = metal"]})
    total = ("omni_gateway_plugin_census_changes_total", "present")
    with running(settings, [names_of("beyond-routes.md", tmp_path)["census"]]) as app:
        assert wait_until(lambda: samples(app, tokens["reader"]).get(total)) >= 1
    api.delete("machineclasses/counted")
