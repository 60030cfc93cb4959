"""The built-in plugins and the example package keep every rule; reports are reproducible."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from click.testing import CliRunner, Result

from omni_gateway.cli import main
from omni_gateway.omni import messages
from omni_gateway.plugin_check import exemptions, report
from omni_gateway.plugin_check.at_start import AT_START
from omni_gateway.plugin_check.catalogue import RULES
from omni_gateway.plugin_check.check import check
from omni_gateway.plugin_check.package import OWN_DISTRIBUTION
from omni_gateway.plugin_check.package_files import of_distribution
from omni_gateway.plugin_check.rule import Grade
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.plugins.discovery import discover

from .plugin_mistakes import AT_START as WRONG_AT_START
from .plugin_mistakes import BY_CHECK, NONE, Mistake, write

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("omni-gateway-plugin-*"))
PAGE = ROOT / "docs" / "plugins" / "checks.md"


TESTS = """\
from acme_tunnels import plugin as tunnels
from omni_gateway.sdk.testing import ResourceConformance


class TestTunnels(ResourceConformance):
    plugin = tunnels
"""


@pytest.fixture(scope="module")
def built_in() -> Sequence[Subject]:
    found = [item for item in discover() if item.distribution == OWN_DISTRIBUTION]
    package = of_distribution(distribution(OWN_DISTRIBUTION))
    others = {item.plugin.name: item.plugin for item in found if item.plugin is not None}
    return [Subject(item.entry_point, item.target, item.plugin, package, others=others) for item in found]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Return a folder for the source of a project."""
    folder = tmp_path / "project"
    folder.mkdir()
    yield folder


def write_project(folder: Path, mistake: Mistake = NONE) -> None:
    (folder / "acme_tunnels.py").write_text(mistake.source)
    (folder / "README.md").write_text("`/api/v1/acme-tunnels` serves tunnels.\n")
    (folder / "CHANGELOG.md").write_text("# 1.0\n")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_tunnels.py").write_text(TESTS)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "acme-tunnels"\nversion = "1.0"\nlicense = "MIT"\ndependencies = ["omni-gateway"]\n'
        '[project.entry-points."omni_gateway.resources"]\nacme-tunnels = "acme_tunnels:plugin"\n'
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Run ``omni-gateway plugin check``; the modules that it imports are forgotten afterwards."""
    monkeypatch.setattr("flask_smorest.Blueprint.register_views_in_doc", lambda *_, **__: None)

    def invoke(*words: object) -> Result:
        result = CliRunner().invoke(main, ["plugin", "check", *map(str, words)])
        for name in [name for name in sys.modules if name.startswith(("acme", "omni_gateway_"))]:
            del sys.modules[name]
        return result

    return invoke


def test_every_built_in_plugin_has_the_highest_grade(built_in: Sequence[Subject]) -> None:
    results = [check(subject) for subject in built_in]
    assert [str(finding) for result in results for finding in result.findings] == []
    assert {result.grade for result in results} == {Grade.PLATINUM}


def test_most_built_in_schemas_are_compared_with_messages_of_omni(built_in: Sequence[Subject]) -> None:
    types = [shown.adapter.type for subject in built_in for shown in subject.schemas]
    assert len([type for type in types if messages.message_of(type)]) > 50


def test_each_exemption_names_a_rule_and_a_plugin_that_exist(built_in: Sequence[Subject]) -> None:
    names = {subject.name for subject in built_in} | {"*"}
    assert set(exemptions.EXEMPTIONS) - {rule.name for rule in RULES} == set()
    assert [plugin for plugins in exemptions.EXEMPTIONS.values() for plugin in plugins if plugin not in names] == []
    assert [
        reason for plugins in exemptions.EXEMPTIONS.values() for reason in plugins.values() if len(reason) < 20
    ] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_has_the_highest_grade(run, example: Path) -> None:  # type: ignore[no-untyped-def]
    result = run(example)
    assert result.exit_code == 0, result.output
    assert [line.split()[-1] for line in result.output.splitlines()] == ["GRADE", "platinum"]


@pytest.mark.parametrize(
    "words",
    [
        ("--type", "GRPCTunnelConfigs"),
        ("racks", "--kind", "own-backend", "--field", "secret:secret"),
        ("weather", "--kind", "service"),
    ],
    ids=lambda words: words[0],
)
def test_a_new_package_has_the_highest_grade(run, project: Path, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    options = ["--author", "A", "--description", "Some objects", "--dir", str(project)]
    assert CliRunner().invoke(main, ["plugin", "new", *words, *options]).exit_code == 0
    result = run(project)
    assert result.exit_code == 0, result.output


def test_a_folder_with_a_mistake_has_a_lower_grade_and_exit_code_1(run, project: Path) -> None:  # type: ignore[no-untyped-def]
    write_project(project, next(mistake for mistake in BY_CHECK if mistake.name == "an-unknown-group"))
    result = run(project)
    assert result.exit_code == 1
    assert "acme-tunnels 1.0): acme_tunnels.py" in result.output.splitlines()[-1]
    assert run(project, "--grade", "bronze").exit_code == 0


def test_of_a_plugin_that_a_start_refuses_all_rules_are_tried(run, project: Path) -> None:  # type: ignore[no-untyped-def]
    mistakes = {mistake.name: mistake.change for mistake in (*WRONG_AT_START, *BY_CHECK)}
    write_project(
        project, Mistake("", "", "", (), mistakes["a-type-that-does-not-exist"] | mistakes["an-unknown-group"])
    )
    (plugin,) = json.loads(run(project, "--format", "json").output)["plugins"]
    failed = {name for name, outcome in plugin["rules"].items() if "failed" in outcome}
    assert failed == {"omni-type", "group-known"}


def test_a_project_without_tests_changelog_and_marker_is_not_of_the_highest_grade(run, project: Path) -> None:  # type: ignore[no-untyped-def]
    write_project(project)
    (project / "acme").mkdir()
    (project / "acme_tunnels.py").rename(project / "acme" / "__init__.py")
    (project / "CHANGELOG.md").unlink()
    (project / "tests" / "test_tunnels.py").write_text("class TestTunnels:\n    pass\n")
    table = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(table.replace("acme_tunnels:plugin", "acme:plugin"))
    (plugin,) = json.loads(run(project, "--format", "json").output)["plugins"]
    failed = {name for name, outcome in plugin["rules"].items() if "failed" in outcome}
    assert (plugin["grade"], failed) == ("gold", {"conformance-tests", "changelog", "typed"})


def test_an_unknown_name_and_an_empty_folder_are_errors_of_usage(run, project: Path) -> None:  # type: ignore[no-untyped-def]
    assert [run("no-such-plugin").exit_code, run(project).exit_code] == [2, 2]


def test_a_name_that_another_plugin_has_is_found_by_mounting_both(run, project: Path) -> None:  # type: ignore[no-untyped-def]
    write_project(project, Mistake("", "", "", (), {'name="acme-tunnels"': 'name="clusters"'}))
    result = run(project, "--format", "json")
    (plugin,) = json.loads(result.output)["plugins"]
    (fault,) = plugin["rules"]["loads"]["failed"]
    assert fault.endswith("the name 'clusters' is taken; give the plugin another name")


def test_a_report_of_the_same_source_has_the_same_bytes(run, project: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write_project(project)
    moved = shutil.copytree(project, tmp_path / "moved" / "project")
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    run(project, "--report", first)
    run(moved, "--report", second)
    assert first.read_bytes() == second.read_bytes()
    (plugin,) = yaml.safe_load(first.read_text())["plugins"]
    assert (plugin["grade"], plugin["distribution"]["version"]) == ("platinum", "1.0")
    assert set(plugin["rules"]) == {rule.name for rule in RULES}


def test_a_wheel_is_checked_without_being_installed_and_its_report_has_its_digest(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (unpacked := tmp_path / "unpacked").mkdir()
    write(unpacked, NONE)
    wheel = tmp_path / "acme_tunnels-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for file in unpacked.rglob("*"):
            archive.write(file, file.relative_to(unpacked))
    result = run(wheel, "--format", "json")
    assert result.exit_code == 0, result.output
    (plugin,) = json.loads(result.output)["plugins"]
    assert plugin["distribution"]["wheel_sha256"] == sha256(wheel.read_bytes()).hexdigest()
    assert set(plugin["rules"]["conformance-tests"]) == {"skipped"}


def test_a_report_of_another_source_has_another_digest(built_in: Sequence[Subject]) -> None:
    plugins = report.document([check(subject, ()) for subject in built_in])["plugins"]
    digests = [plugin["distribution"]["sources_sha256"] for plugin in plugins]
    assert len(set(digests)) == len(digests) == len(built_in)


def test_each_rule_has_a_section_with_its_grade_and_summary() -> None:
    parts = PAGE.read_text().split("\n### ")[1:]
    sections = {part.splitlines()[0]: part for part in parts}
    assert list(sections) == [rule.name for rule in RULES]
    assert [rule.name for rule in RULES if rule.summary not in sections[rule.name]] == []
    starts = [name for name, text in sections.items() if "Stops the start." in text]
    # A plugin that cannot be imported, and one that is not found, are refused without a rule.
    assert set(starts) == {rule.name for rule in AT_START} | {"loads", "entry-point-group"}
