"""README's lines work as printed, from creating a cluster out of three machines to its deletion."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from .conftest import Served, Versions

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"


def blocks() -> list[str]:
    text = README.read_text().split("are run by tests/e2e/test_readme.py", 1)[1]
    return re.findall(r"```sh\n(.*?)```", text.split("## What every resource does")[0], flags=re.S)


CREATE = '"id": "demo",'
#: Where the README asks which version is the newest.
UPGRADE = "newest_upgrade_version"


def script_of(versions: Versions) -> str:
    """The README's lines, of a cluster that has older and newer versions before it; what it may go to is kept."""
    checked = 'curl() { command curl --fail-with-body "$@"; }'
    waiting = """
wait_for() { for _ in $(seq 20); do curl -s -H "Authorization: Bearer $TOKEN" "$API/operations/$1?wait=10s" > last.json;
  grep -q '"state":"succeeded"' last.json && return 0; done; cat last.json; return 1; }
keep() { curl -s -H "Authorization: Bearer $TOKEN" "$API/clusters/demo/kubernetes-upgrade" > "$1"; }
known() { for _ in $(seq 60); do keep before.json && grep -q '"upgrade_versions":\\["' before.json && return 0; sleep 1;
  done; return 1; }
"""
    chosen = f'{CREATE} "talos_version": "{versions.talos_next}", "kubernetes_version": "{versions.kubernetes_next}",'
    script = ["set -eu", checked, waiting]
    for block in blocks():
        if UPGRADE in block:
            script.append("known")
        script.append(block.replace(CREATE, chosen))
        script += [f"wait_for {kind}/demo" for kind in re.findall(r"operations/([\w-]+)/demo", block)]
        if UPGRADE in block:
            script.append("keep after.json")
    return "\n".join(script)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def test_every_line_succeeds_the_upgrade_goes_to_the_newest_and_the_cluster_is_gone_at_the_end(
    served: Served,
    api: httpx.Client,
    free_machines: Callable[[int], list[str]],
    versions: Versions,
    tmp_path: Path,
) -> None:
    free_machines(3)
    if api.get("clusters/demo").status_code != 404:
        pytest.skip("this Omni has a cluster named demo")
    env = {**os.environ, "TOKEN": served.tokens["admin"], "API": f"{served.url}/api/v1"}
    ran = subprocess.run(["bash", "-c", script_of(versions)], env=env, cwd=tmp_path, capture_output=True, timeout=300)
    assert ran.returncode == 0, ran.stdout.decode()[-3000:] + ran.stderr.decode()[-2000:]
    assert "clusters:" in (tmp_path / "demo.kubeconfig").read_text()
    assert api.get("clusters/demo").status_code == 404

    before, after = (json.loads((tmp_path / name).read_text()) for name in ("before.json", "after.json"))
    offered = sorted((version for version in before["upgrade_versions"] if "-" not in version), key=numbers)
    assert numbers(offered[0]) < numbers(before["last_upgrade_version"]) < numbers(offered[-1])
    assert before["upgrade_versions"][0] != offered[-1]
    assert after["last_upgrade_version"] == offered[-1]
