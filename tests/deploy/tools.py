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
#: A build of helm from nothing computes for seven minutes.
SECONDS = 900


class MissingTool(Exception):
    """A tool or a schema cannot be had on this machine; the text says why."""


def command(name: str) -> str | None:
    """Return the path of a tool that was built, or of one that the machine has; None without any."""
    built = FOLDER / Path(GO_COMMANDS[name]).name / name if name in GO_COMMANDS else None
    return str(built) if built is not None and built.exists() else shutil.which(name)


def install() -> None:
    """Install what is missing; print what cannot be."""
    steps = [lambda name=name: _build(name) for name in GO_COMMANDS]
    steps += [lambda version=version: _write_kubernetes(version) for version in KUBERNETES]
    steps += [lambda module=module: _write_custom_resource(module) for module in CUSTOM_RESOURCES]
    for step in steps:
        try:
            step()
        except MissingTool as error:
            print(f"Left out: {error}", file=sys.stderr)


def _build(name: str) -> None:
    module = GO_COMMANDS[name]
    folder = FOLDER / Path(module).name  # of this version
    if not (folder / name).exists():
        print(f"Building {name} ({module}) ...", file=sys.stderr)
        _go("install", "-ldflags=-s -w", module, GOBIN=str(folder), CGO_ENABLED="0")


def _write_kubernetes(version: str) -> None:
    folder = SCHEMAS / version
    if not folder.exists():
        print(f"Getting the schemas of Kubernetes {version} ...", file=sys.stderr)
        source = _module(f"k8s.io/kubernetes@v{version}") / "api" / "openapi-spec" / "swagger.json"
        kubernetes_schemas.write_kubernetes(source, folder)


def _write_custom_resource(module: str) -> None:
    folder = SCHEMAS / Path(module).name
    if not folder.exists():
        print(f"Getting the custom resources of {module} ...", file=sys.stderr)
        kubernetes_schemas.write_custom_resource(_module(module) / CUSTOM_RESOURCES[module], folder)


def _module(module: str) -> Path:
    return Path(json.loads(_go("mod", "download", "-json", module))["Dir"])


def _go(*arguments: str, **environ: str) -> str:
    if shutil.which("go") is None:
        raise MissingTool(f"go {arguments[0]} {arguments[-1]}: there is no Go")
    try:
        # Outside of any Go module, whose go.mod would take part.
        ran = subprocess.run(
            ["go", *arguments], env=os.environ | environ, cwd="/", capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise MissingTool(f"go {arguments[0]} {arguments[-1]}: it has not ended within {SECONDS} s") from None
    if ran.returncode:
        raise MissingTool(f"go {arguments[0]} {arguments[-1]}: {(ran.stderr or ran.stdout).strip()[-300:]}")
    return ran.stdout


if __name__ == "__main__":
    install()
