"""The wheel: what `pip install omni-gateway` brings is enough to serve, and requires all that it imports."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from pathlib import Path
from threading import Thread

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.e2e.conftest import free_port

ROOT = Path(__file__).parents[2]
#: Makes a package of each kind in one process: each start of the command takes seconds.
MAKE_PACKAGES = """
from omni_gateway.cli import main
for kind in (["--type", "GRPCTunnelConfigs"], ["racks", "--kind", "own-backend"], ["sums", "--kind", "service"]):
    main(["plugin", "new", *kind], standalone_mode=False)
"""
#: Of the extra `postgresql`; imported by a store URL only.
OPTIONAL = {"psycopg"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new virtual environment with the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("omni_gateway", "resources"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run([*pip, *build], check=True)
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-compile", str(wheel)]
    subprocess.run([*pip, "--python", str(python), *install], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    # The clone itself is on this environment's path by a .pth file, which is not read from there.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


@pytest.mark.packages
def test_an_installed_wheel_serves_all_resources_and_the_viewer(installed: Path, tmp_path: Path) -> None:
    bind = f"127.0.0.1:{free_port()}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI", "SIDERO", "PYTHON"))}
    environ |= {"OMNI_GATEWAY_BIND": bind, "OMNI_GATEWAY_WORKERS": "1", "OMNI_GATEWAY_FLEET": "2"}
    command = [str(installed / "bin" / "omni-gateway"), "serve"]
    with subprocess.Popen(command, env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            written = list(until(process.stderr, "  Omni"))
            token = re.search(r"export TOKEN=(ogw_\S+)", "".join(written))
            assert token is not None, written
            # A gateway whose log nobody reads waits once the pipe is full, and its callers with it.
            rest = Thread(target=process.stderr.read)
            rest.start()
            headers = {"Authorization": f"Bearer {token[1]}"}
            with httpx.Client(base_url=f"http://{bind}", headers=headers, timeout=60) as client:
                index = client.get("/api/v1").json()
                machines = client.get("/api/v1/machines").json()
                page = client.get("/").text
                assets = re.findall(r'(?:src|href)="(/[^"]+)"', page)
                statuses = {client.get(asset).status_code for asset in assets}
        finally:
            process.send_signal(signal.SIGTERM)
    rest.join(60)
    assert process.returncode == 0
    assert {item["name"] for item in index["resources"]} == plugins()
    assert len(machines) == 2
    assert assets
    assert statuses == {200}


@pytest.mark.packages
def test_an_installed_wheel_makes_a_plugins_package_from_the_templates_in_it(installed: Path, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(installed / "bin" / "python"), "-c", MAKE_PACKAGES]
    subprocess.run(command, env=environ, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    made = [folder.name.removeprefix("omni-gateway-plugin-") for folder in sorted(tmp_path.iterdir())]
    assert made == ["grpc-tunnel-configs", "racks", "sums"]
    assert all((folder / "LICENSE").exists() for folder in tmp_path.iterdir())


def until(lines: Iterator[str], beginning: str) -> Iterator[str]:
    for line in lines:
        yield line
        if line.startswith(beginning):
            return


def plugins() -> set[str]:
    """Return the names of the built-in plugins."""
    entries = importlib.metadata.entry_points(group="omni_gateway.resources")
    return {entry.load().name for entry in entries if entry.value.startswith("resources.")}


def test_every_package_that_is_imported_is_installed_with_it() -> None:
    files = {*python_files("omni_gateway"), *python_files("resources")}
    assert not_installed(files.difference(*EXTRAS.values())) == set()


@pytest.mark.parametrize("extra", ["otel", "testing"])
def test_every_package_that_the_modules_of_an_extra_import_is_installed_with_it(extra: str) -> None:
    assert not_installed(EXTRAS[extra], extra=extra) == set()


def python_files(folder: str) -> set[Path]:
    return {*(ROOT / folder).rglob("*.py")}


#: The modules that may import the packages of an extra.
EXTRAS = {"otel": {ROOT / "omni_gateway" / "tracing.py"}, "testing": python_files("omni_gateway/testing")}


def not_installed(files: Iterable[Path], extra: str = "") -> set[str]:
    """Return the imports of files whose packages are not installed with ours and the extra."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    requirements = setup["options"]["install_requires"]
    if extra:
        requirements += setup["options.extras_require"][extra]
    installed = with_requirements(requirements.split("\n"))
    assert "flask" in installed
    providers = importlib.metadata.packages_distributions()
    known = {*sys.stdlib_module_names, "omni_gateway", "resources", *OPTIONAL}
    return {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in imported(file)
        if name not in known and not installed & {canonicalize_name(provider) for provider in providers.get(name, ())}
    }


def with_requirements(lines: Iterable[str]) -> set[str]:
    """Return the distributions that lines of requirements name, and those that these need."""
    found: set[str] = set()
    wanted = [Requirement(line) for line in lines if line.strip()]
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        wanted += [Requirement(line) for line in importlib.metadata.requires(name) or ()]
    return found


def imported(file: Path) -> set[str]:
    """Return the top-level packages that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found
