"""Each mistake gives one line that names plugin, distribution, file and line, and says how to mend it.

Most stop the start, before any request; the others, of plugins that work and not as they should, are found by
``omni-gateway plugin check``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoints, distributions
from pathlib import Path

import pytest

from omni_gateway.cli import third_party_commands
from omni_gateway.plugin_check.catalogue import RULES
from omni_gateway.plugin_check.check import Result, check
from omni_gateway.plugin_check.entry_points import is_misspelt
from omni_gateway.plugin_check.package_files import of_distribution
from omni_gateway.plugin_check.rule import Grade
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.plugins import discovery
from omni_gateway.plugins.discovery import BrokenPlugin, Found, discover

from .plugin_mistakes import AT_START, BY_CHECK, NONE, Mistake, write

Install = Callable[[Mistake], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install the distribution with a mistake; it is the only one whose plugins are found."""

    def make(mistake: Mistake) -> None:
        write(tmp_path, mistake)
        monkeypatch.syspath_prepend(str(tmp_path))
        points = EntryPoints(point for each in distributions(path=[str(tmp_path)]) for point in each.entry_points)
        monkeypatch.setattr(discovery, "entry_points", lambda: points)

    yield make
    sys.modules.pop("acme_tunnels", None)


def checked(found: Found, folder: Path) -> Result:
    package = of_distribution(next(iter(distributions(path=[str(folder)]))))
    return check(Subject(found.entry_point, found.target, found.plugin or found.refused, package))


def place_of(mistake: Mistake) -> str:
    return f"acme_tunnels.py:{mistake.line}: " if mistake.at else "acme_tunnels.py: "


@pytest.mark.parametrize("mistake", AT_START, ids=lambda mistake: mistake.name)
def test_a_mistake_stops_the_start_with_a_line_that_says_where_it_is_and_how_to_mend_it(
    install: Install, mistake: Mistake
) -> None:
    install(mistake)
    with pytest.raises(BrokenPlugin) as stopped:
        discover()
    line = str(stopped.value)
    assert "\n" not in line
    assert "(acme_tunnels:" in line
    assert "of acme-tunnels 1.0: " in line
    assert place_of(mistake) in line
    assert [words for words in mistake.says if words not in line] == [], line


@pytest.mark.parametrize(
    "mistake", [each for each in AT_START if each.rule != "loads"], ids=lambda mistake: mistake.name
)
def test_the_check_finds_by_a_rule_what_stops_the_start(install: Install, tmp_path: Path, mistake: Mistake) -> None:
    install(mistake)
    found = [item for item in discover(skip_broken=True) if item.state == "broken"]
    assert mistake.rule in {finding.rule.name for finding in checked(found[-1], tmp_path).findings}


def test_with_skip_the_plugin_is_left_out_for_the_same_reason(install: Install) -> None:
    install(AT_START[0])
    (found,) = discover(skip_broken=True)
    assert (found.state, found.plugin) == ("broken", None)
    assert found.problem.startswith(place_of(AT_START[0]))


@pytest.mark.parametrize("mistake", BY_CHECK, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found_by_the_check_where_it_is_and_with_its_mend(
    install: Install, tmp_path: Path, mistake: Mistake
) -> None:
    install(mistake)
    (found,) = discover()
    lines = [str(finding) for finding in checked(found, tmp_path).findings if finding.rule.name == mistake.rule]
    assert len(lines) == 1, lines
    assert lines[0].startswith("acme-tunnels (acme-tunnels ")
    assert place_of(mistake) in lines[0]
    assert [words for words in mistake.says if words not in lines[0]] == [], lines


#: Rules of a project's folder, which are tried on one in test_plugin_grades.
OF_PROJECTS = {"conformance-tests", "changelog", "typed"}


def test_each_rule_is_tried_by_a_mistake() -> None:
    assert {mistake.rule for mistake in (*AT_START, *BY_CHECK)} | OF_PROJECTS == {rule.name for rule in RULES}


def test_the_plugin_without_a_mistake_has_the_highest_grade(install: Install, tmp_path: Path) -> None:
    install(NONE)
    (found,) = discover()
    result = checked(found, tmp_path)
    assert [str(finding) for finding in result.findings] == []
    assert result.grade == Grade.PLATINUM


@pytest.mark.parametrize(
    "group", [third_party_commands.GROUP, "omni_gateway_racks.hooks", "omni_gateway_extras.resources", "pytest11"]
)
def test_groups_of_commands_and_of_other_packages_are_not_taken_for_misspelt_ones(group: str) -> None:
    assert not is_misspelt(group)
