"""The schema of the Helm chart's values has the settings as they are."""

from __future__ import annotations

import yaml

import omni_gateway
from tests.deploy import values_schema


def test_the_schema_of_values_is_current() -> None:
    """`make values-schema` writes it."""
    assert values_schema.FILE.read_text("utf-8") == values_schema.current()


def test_the_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((values_schema.FILE.parent / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == omni_gateway.__version__
