"""README's lines, one block after the other as printed, and the effect of each as soon as it has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster_steps import Wait, once
from tests.shell import bash

from .conftest import Served, Versions

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"
CREATE = '"id": "demo",'


def blocks() -> tuple[str, list[str]]:
    """Return the block that defines ``api``, and those that use it."""
    before, _, after = README.read_text().partition("are run by tests/e2e/test_readme.py")
    found = re.findall(r"```sh\n(.*?)```", after.partition("## Further")[0], flags=re.S)
    defines = re.findall(r"```sh\n(.*?)```", before, flags=re.S)[-1]
    assert "api() {" in defines
    return defines, found


def events(stream: str) -> list[dict[str, object]]:
    return [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def test_each_block_does_what_the_readme_says(
    served: Served,
    api: httpx.Client,
    free_machines: Callable[[int], list[str]],
    versions: Versions,
    wait_until: Wait,
    tmp_path: Path,
) -> None:
    free_machines(3)
    if api.get("clusters/demo").status_code != 404:
        pytest.skip("this Omni has a cluster named demo")
    defines, [free, create, follow, label, patch, get_in, upgrade, take_down] = blocks()
    # The only change: versions that have older and newer ones beside them, so that there is an upgrade.
    chosen = f'{CREATE} "talos_version": "{versions.talos_next}", "kubernetes_version": "{versions.kubernetes_next}",'
    assert create.count(CREATE) == 1
    with bash(tmp_path, TOKEN=served.tokens["admin"]) as shell:
        shell.run(defines.replace("http://127.0.0.1:8080", served.url))

        machines = json.loads(shell.run(free))
        assert len(machines) >= 3
        assert all(machine["hostname"] for machine in machines)

        created = json.loads(shell.run(create.replace(CREATE, chosen)))
        assert created["id"] == "demo"
        assert len(api.get("clusters/demo/machines").json()) == 3

        followed = shell.run(follow)
        assert events(followed)  # one alone if the simulator, at sixty times life's speed, was done before
        assert json.loads(followed.rstrip().splitlines()[-1])["state"] == "succeeded"
        assert api.get("clusters/demo/status").json()["ready"] is True

        before = api.get("clusters/demo").json()
        assert before["labels"] == {}
        shell.run(label)
        after = api.get("clusters/demo").json()
        assert after["labels"] == {"env": "test"}
        assert int(after["metadata"]["version"]) == int(before["metadata"]["version"]) + 1  # the dry run wrote nothing

        shell.run(patch)
        made = api.get("configpatches/500-demo-somaxconn").json()
        assert made["labels"]["omni.sidero.dev/cluster-machine"] in {
            machine["id"] for machine in api.get("clusters/demo/machines").json()
        }

        shell.run(get_in)
        assert "clusters:" in (tmp_path / "demo.kubeconfig").read_text()

        # Omni learns the version that runs some time after the cluster is ready.
        status = "clusters/demo/kubernetes-upgrade"
        offered = once(api, status, lambda found: bool(found["last_upgrade_version"]), wait_until)
        stable = sorted((version for version in offered["upgrade_versions"] if "-" not in version), key=numbers)
        running = numbers(offered["last_upgrade_version"])
        assert numbers(stable[0]) < running < numbers(stable[-1])
        assert offered["upgrade_versions"][0] != stable[-1]
        shell.run(upgrade)
        assert api.get("clusters/demo/kubernetes-upgrade").json()["last_upgrade_version"] == stable[-1]
        assert api.get("operations/kubernetes-upgrade/demo").json()["state"] == "succeeded"

        shell.run(take_down)
        assert api.get("clusters/demo").status_code == 404


def test_a_command_of_the_readme_that_is_refused_fails(served: Served, tmp_path: Path) -> None:
    defines, [free, *_] = blocks()
    with bash(tmp_path, TOKEN="ogw_wrong") as shell:
        shell.run(defines.replace("http://127.0.0.1:8080", served.url))
        with pytest.raises(AssertionError, match="exit status 22"):
            shell.run(free)
