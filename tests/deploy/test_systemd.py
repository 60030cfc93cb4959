"""The units for systemd, by systemd's own tools; how `serve` behaves under them is in tests/serving/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICE, SOCKET = UNITS / "omni-gateway.service", UNITS / "omni-gateway.socket"
ANALYZE = shutil.which("systemd-analyze")
#: Tenths, on systemd's scale from 0 to 10.
MOST_EXPOSED = 20

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is missing: Debian's package systemd has it"),
]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ANALYZE), *arguments], capture_output=True, text=True, timeout=60)


def test_the_service_is_hardened() -> None:
    ran = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(SERVICE))
    assert ran.returncode == 0, ran.stdout


def test_systemd_has_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    for unit in (SERVICE, SOCKET):
        # It looks for the programs, which are not installed where the tests run.
        text = unit.read_text().replace("/opt/omni-gateway/bin/omni-gateway", sys.executable)
        (tmp_path / unit.name).write_text(text)
    ran = analyze("verify", *map(str, sorted(tmp_path.iterdir())))
    assert [line for line in (ran.stdout + ran.stderr).splitlines() if "omni-gateway" in line] == []
    assert ran.returncode == 0
