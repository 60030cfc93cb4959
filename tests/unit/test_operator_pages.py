"""docs/operations names what there is, and all of it: problems and alerts, settings, metrics, commands."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import yaml

from omni_gateway.cli import main
from omni_gateway.environment.variables import variables_of
from omni_gateway.http.problems import CATALOGUE
from omni_gateway.settings import Settings
from tests.shell import section

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "operations"
PAGES = sorted(FOLDER.glob("*.md"))
TROUBLESHOOTING = FOLDER / "troubleshooting.md"
#: Names those of Omni's exporter too that are not here.
METRICS = FOLDER / "metrics.md"
BLOCK = re.compile(r"^ *```.*?^ *```$", flags=re.M | re.S)
#: The program at the beginning of a command.
COMMAND = re.compile(r"(?:^\s*(?:\$ )?|/bin/|\$\(|[;|&(] )omni-gateway ((?:[a-z][a-z-]* ?)+)", flags=re.M)


@pytest.fixture(params=PAGES, ids=lambda page: page.stem)
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading of the page of symptoms."""
    lines = re.findall(r"^\| (.+) \|$", section(TROUBLESHOOTING, heading), flags=re.M)
    return [re.split(r" ?\| ?", line) for line in lines[1:]]


def test_every_problem_is_in_the_table_of_codes_once_and_no_other() -> None:
    codes = [code for cells in rows("By what callers see") for code in re.findall(r"`([^`]+)`", cells[0])]
    assert sorted(codes) == sorted(CATALOGUE)


def test_every_section_of_the_codes_is_led_to_by_a_row() -> None:
    headings = re.findall(r"^### (.+)$", section(TROUBLESHOOTING, "By what callers see"), flags=re.M)
    assert headings == [re.findall(r"\[(.+?)\]", cells[1])[0] for cells in rows("By what callers see")]


def test_every_alert_is_in_the_table_of_alerts_and_leads_to_its_section() -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"]]
    assert [cells[:2] for cells in rows("By alert")] == [
        [f"`{alert}`", f"[what it means](alerts.md#{alert.lower()})"] for alert in alerts
    ]


def test_every_page_is_in_the_lists_of_pages(page: Path) -> None:
    assert f"](operations/{page.name})" in (ROOT / "docs" / "README.md").read_text()
    if page.name != "README.md":
        assert f"]({page.name})" in (FOLDER / "README.md").read_text()


def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    known = {variable.name for variable in variables_of(Settings, "OMNI_GATEWAY_")} | {"OMNI_GATEWAY_CONFIG_FILE"}
    named = set(re.findall(r"\bOMNI_GATEWAY_[A-Z0-9_]*[A-Z0-9]\b", page.read_text()))
    unknown = {name for name in named if name.removesuffix("_FILE") not in known and name not in known}
    assert unknown - NO_SETTINGS.get(page.stem, set()) == set()


#: What a page names because it is none of the gateway's: a slip that a command finds, a variable of compose.
NO_SETTINGS = {"install": {"OMNI_GATEWAY_WORKER"}, "container": {"OMNI_GATEWAY_IMAGE"}}


@pytest.mark.parametrize("page", [page for page in PAGES if page != METRICS], ids=lambda page: page.stem)
def test_every_metric_that_a_page_names_is_in_the_list_of_metrics(page: Path) -> None:
    listed = METRICS.read_text()
    known = set(re.findall(r"^\| `(\w+)`", listed, flags=re.M))
    named = set(re.findall(r"\bomni_(?:gateway|exporter)_\w+", page.read_text()))
    assert {name for name in named if name not in known and not name.endswith("_")} == set()


def test_every_command_that_a_page_names_is_one(page: Path) -> None:
    text = page.read_text()
    code = [*re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)), *BLOCK.findall(text)]
    assert [words for each in code for words in COMMAND.findall(each) if not is_command(words.split())] == []


def is_command(words: list[str]) -> bool:
    """Whether words begin with the name of a command; those behind it are its arguments."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True


def test_a_command_that_there_is_not_would_be_found() -> None:
    [words] = COMMAND.findall("$ omni-gateway db dump FILE")
    assert not is_command(words.split())


def test_the_addresses_of_replicas_in_the_runbooks_are_those_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())["services"]
    replicas = {
        service["networks"]["internal"]["ipv4_address"] for name, service in services.items() if "gateway-" in name
    }
    named = re.findall(r"\b10(?:\.\d+){3}\b", section(FOLDER / "runbooks.md", "Before you begin"))
    assert set(named) == replicas
