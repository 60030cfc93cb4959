"""The example script runs as it is written down: no web framework, no setting but the environment's two."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from omni_gateway.simulator.embedded import RunningSimulator

SCRIPT = Path(__file__).parents[2] / "examples" / "plain_client.py"


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI", "SIDERO"))}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, timeout=60)


def test_the_plain_client_lists_and_watches(simulator: RunningSimulator) -> None:
    done = run({"OMNI_ENDPOINT": simulator.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": simulator.key}, "0.5")
    assert done.returncode == 0, done.stderr
    assert " clusters\n" in done.stdout
    assert "bootstrapped" in done.stdout


def test_the_plain_client_says_which_setting_is_missing() -> None:
    done = run({})
    assert done.returncode == 1
    assert done.stderr.startswith("plain_client: OMNI_ENDPOINT is not set")


def test_the_client_loads_no_web_framework() -> None:
    program = "import sys, omni_gateway.omni; sys.exit(any(m in sys.modules for m in ('flask', 'marshmallow')))"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
