"""A pytest plugin for runs of an hour: a failure is printed when it happens (``-p tests.immediate_failures``)."""

from __future__ import annotations

import pytest


class ImmediateFailures:
    """Prints the traceback of each failure or error as soon as its phase has ended."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        reporter.ensure_newline()
        reporter.section(f"{report.when} of {report.nodeid}", sep="-")
        reporter.line(report.longreprtext)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(ImmediateFailures(config))
