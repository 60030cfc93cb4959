"""The conformance kit finds each planted mistake, and nothing in the plugins without one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from omni_gateway.sdk import ResourcePlugin

from .planted import PLANTED, Planted
from .planted_cases import class_of
from .sound import sound_racks, sound_tunnels

pytestmark = [pytest.mark.packages, pytest.mark.timeout(1800)]

CASES = Path(__file__).with_name("planted_cases.py")
#: That one check may take: the first under gunicorn starts a gateway with all plugins.
CHECK_SECONDS = 600
#: What an author gets from the kit without writing a test.
INHERITED = 60
#: A check that fails says what is wrong; where no object can be made, all checks say so.
ASSERTION = re.compile('(failed on setup with ")?(AssertionError: |assert )')


@dataclass(frozen=True)
class Run:
    """What one run of pytest said: class and check → the message of its failure, empty if it passed."""

    messages: Mapping[tuple[str, str], str]

    def of(self, plugin: ResourcePlugin) -> dict[str, str]:
        return {check: message for (name, check), message in self.messages.items() if name == class_of(plugin)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run, as an author makes it: all checks of the sound plugins, and of the others those that are to find them.

    All plugins are in one gateway: to make one for each of them would take most of the time.
    """
    report = tmp_path_factory.mktemp("kit") / "report.xml"
    options = ["-q", "-p", "no:cacheprovider", f"--timeout={CHECK_SECONDS}", f"--junit-xml={report}"]
    command = [sys.executable, "-m", "pytest", *options, str(CASES)]
    ended = subprocess.run(command, cwd=CASES.parents[2], capture_output=True, text=True)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout[-4000:] + ended.stderr[-4000:]
    messages = {}
    for case in ElementTree.parse(report).iter("testcase"):
        said = [each.get("message", "") or each.tag for each in case if each.tag in ("failure", "error", "skipped")]
        messages[case.get("classname", "").rpartition(".")[2], case.get("name", "")] = " ".join(said)
    return Run(messages)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.plugin.name)
def test_a_planted_mistake_is_found_by_the_check_of_the_promise_that_it_breaks(run: Run, planted: Planted) -> None:
    found = run.of(planted.plugin)
    assert planted.found_by
    for check in planted.found_by:
        assert ASSERTION.match(found[check]), f"{check}: {found[check] or 'passed'}"


@pytest.mark.parametrize("plugin", [sound_racks, sound_tunnels], ids=lambda plugin: plugin.name)
def test_nothing_is_found_in_a_plugin_without_a_mistake(run: Run, plugin: ResourcePlugin) -> None:
    checks = run.of(plugin)
    assert {check: message for check, message in checks.items() if message} == {}
    assert len(checks) >= INHERITED
