"""The alert rules: valid, explained, and right for made-up series."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from tests.deploy.prometheus import PROMTOOL, RULES, needs_prometheus
from tests.unit.test_docs import ROOT, leads_somewhere

pytestmark = [pytest.mark.deploy, needs_prometheus]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def promtool(*arguments: str, text: str = "") -> str:
    command = [str(PROMTOOL), *arguments]
    done = subprocess.run(command, cwd=RULES.parent, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_are_valid() -> None:
    assert "20 rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", RULES.name)


def test_each_alert_fires_for_what_is_wrong_and_for_nothing_else() -> None:
    tested = yaml.safe_load((RULES.parent / "alerts_test.yaml").read_text())["tests"]
    for rule in rules():
        assert {f"{rule['alert']}, fires", f"{rule['alert']}, does not fire"} <= {test["name"] for test in tested}
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yaml")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_says_what_it_means_and_where_to_read_on(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert notes["summary"] and notes["description"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert leads_somewhere(ROOT / "README.md", notes["runbook_url"])
