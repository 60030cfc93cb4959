"""The tools that the tests of packages run, each found or None: ``make test-deploy`` installs those that can be.

``python -m tests.deploy.tools`` builds them from the Go module proxy into ``.cache/tools``, with the schemas of
Kubernetes and of the custom resources that the chart may make. What cannot be had is printed and left out: its tests
are skipped by name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.deploy import kubernetes_schemas

FOLDER = Path(__file__).parents[2] / ".cache" / "tools"
SCHEMAS = FOLDER / "schemas"
#: The oldest and the newest release whose schemas the chart is validated with.
KUBERNETES = ("1.34.4", "1.37.2")
GO_COMMANDS = {
    "helm": "helm.sh/helm/v4/cmd/helm@v4.3.1",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0",
}
CUSTOM_RESOURCES = {
    "sigs.k8s.io/gateway-api@v1.6.3": "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": (
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"
    ),
}
#: For all of it; a build of helm from nothing computes for seven minutes, on all cores.
SECONDS = 480


class MissingTool(Exception):
    """A tool or a schema cannot be had on this machine; the text says why."""


def command(name: str) -> str | None:
    """Return the path of a tool that was built, or of one that the machine has; None without any."""
    built = FOLDER / Path(GO_COMMANDS[name]).name / name if name in GO_COMMANDS else None
    return str(built) if built is not None and built.exists() else shutil.which(name)


def missing() -> Mapping[str, Callable[[Go], None]]:
    """Return what is not installed yet, each with the function that installs it; the large one comes last."""
    wanted: dict[Path, Callable[[Go], None]] = {}
    for version in KUBERNETES:
        wanted[SCHEMAS / version] = partial(_write_kubernetes, version)
    for module in CUSTOM_RESOURCES:
        wanted[SCHEMAS / Path(module).name] = partial(_write_custom_resource, module)
    for name in ("kubeconform", "helm"):
        wanted[FOLDER / Path(GO_COMMANDS[name]).name / name] = partial(_build, name)
    return {str(path.relative_to(FOLDER)): install for path, install in wanted.items() if not path.exists()}


def _write_kubernetes(version: str, go: Go) -> None:
    source = go.download(f"k8s.io/kubernetes@v{version}") / "api" / "openapi-spec" / "swagger.json"
    kubernetes_schemas.write_kubernetes(source, SCHEMAS / version)


def _write_custom_resource(module: str, go: Go) -> None:
    source = go.download(module) / CUSTOM_RESOURCES[module]
    kubernetes_schemas.write_custom_resource(source, SCHEMAS / Path(module).name)


def _build(name: str, go: Go) -> None:
    module = GO_COMMANDS[name]
    folder = FOLDER / Path(module).name  # of this version
    go.run("install", "-ldflags=-s -w", module, GOBIN=str(folder), CGO_ENABLED="0")


class Go:
    """The command ``go``, for :data:`SECONDS` in all: without a network each call may wait for long."""

    def __init__(self) -> None:
        self._until = time.monotonic() + SECONDS

    def download(self, module: str) -> Path:
        """Return the folder of a module. Raises :class:`MissingTool`."""
        return Path(json.loads(self.run("mod", "download", "-json", module))["Dir"])

    def run(self, *arguments: str, **environ: str) -> str:
        """Run it, outside of any Go module, whose go.mod would take part. Raises :class:`MissingTool`."""
        if shutil.which("go") is None:
            raise MissingTool("there is no Go")
        command, left = ["go", *arguments], self._until - time.monotonic()
        try:
            ran = subprocess.run(
                command, env=os.environ | environ, cwd="/", capture_output=True, text=True, timeout=max(left, 1)
            )
        except subprocess.TimeoutExpired:
            raise MissingTool(f"all of it has not ended within {SECONDS} s") from None
        if ran.returncode:
            raise MissingTool(ran.stderr.strip()[-300:] or json.loads(ran.stdout)["Error"])
        return ran.stdout


if __name__ == "__main__":
    go = Go()
    for name, install in missing().items():
        print(f"Installing {name} ...", file=sys.stderr)
        try:
            install(go)
        except MissingTool as error:
            print(f"Left out: {error}", file=sys.stderr)
