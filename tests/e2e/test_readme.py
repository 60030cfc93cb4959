"""README's lines work as printed, from creating a cluster out of three machines to its deletion."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from .conftest import Served

README = Path(__file__).parents[2] / "README.md"


def blocks() -> list[str]:
    text = README.read_text().split("are run by tests/e2e/test_readme.py", 1)[1]
    return re.findall(r"```sh\n(.*?)```", text.split("## What every resource does")[0], flags=re.S)


def test_every_curl_line_succeeds_and_the_cluster_is_gone_at_the_end(
    served: Served, api: httpx.Client, free_machines: Callable[[int], list[str]], tmp_path: Path
) -> None:
    free_machines(3)
    if api.get("clusters/demo").status_code != 404:
        pytest.skip("this Omni has a cluster named demo")
    checked = 'curl() { command curl --fail-with-body "$@"; }'
    waiting = """
wait_for() { for _ in $(seq 20); do curl -s -H "Authorization: Bearer $TOKEN" "$API/operations/$1?wait=10s" > last.json;
  grep -q '"state":"succeeded"' last.json && return 0; done; cat last.json; return 1; }
"""
    script = ["set -eu", checked, waiting]
    for block in blocks():
        script.append(block)
        script += [f"wait_for {kind}/demo" for kind in re.findall(r"operations/([\w-]+)/demo", block)]
    env = {**os.environ, "TOKEN": served.tokens["admin"], "API": f"{served.url}/api/v1"}
    ran = subprocess.run(["bash", "-c", "\n".join(script)], env=env, cwd=tmp_path, capture_output=True, timeout=300)
    assert ran.returncode == 0, ran.stdout.decode()[-3000:] + ran.stderr.decode()[-2000:]
    assert "clusters:" in (tmp_path / "demo.kubeconfig").read_text()
    assert api.get("clusters/demo").status_code == 404
