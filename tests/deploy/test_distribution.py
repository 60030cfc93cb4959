"""``make dist``: complete packages, their bill of materials, and the same bytes wherever a commit is built."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from deploy.distribution import ROOT, locked

MISSING = [name for name in ("build", "cyclonedx_py") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.deploy,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} is missing: `make test-deploy` installs it"),
]


@pytest.fixture(scope="module")
def commit() -> str:
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()


def built(folder: Path, commit: str, *, umask: int, **environ: str) -> Path:
    """Build a commit in a clone of its own."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True, umask=umask)
    command = [sys.executable, "-m", "deploy.distribution", str(folder / "dist")]
    inherited = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(command, check=True, cwd=clone, env=inherited | environ, umask=umask, timeout=900)
    return folder / "dist"


@pytest.fixture(scope="module")
def dist(commit: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"), commit, umask=0o022)


def bill_of_materials(dist: Path) -> Any:
    [file] = dist.glob("*.cdx.json")
    return json.loads(file.read_text())


def test_another_folder_user_mask_and_time_zone_give_the_same_bytes(commit: str, dist: Path, tmp_path: Path) -> None:
    again = built(tmp_path, commit, umask=0o077, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="1")
    assert (again / "SHA256SUMS").read_text() == (dist / "SHA256SUMS").read_text()


def test_the_sums_are_those_of_all_files(dist: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=dist, check=True)
    summed = {line.split()[1] for line in (dist / "SHA256SUMS").read_text().splitlines()}
    assert {file.name for file in dist.iterdir()} == {*summed, "SHA256SUMS"}


def test_the_wheel_has_every_file_of_the_packages(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")
    command = ["git", "ls-files", "omni_gateway", "resources"]
    tracked = subprocess.check_output(command, cwd=dist.parent / "clone", text=True).splitlines()
    assert tracked
    assert set(tracked) - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_bill_of_materials_has_each_locked_package_with_its_version(dist: Path) -> None:
    components = bill_of_materials(dist)["components"]
    expected = {
        (canonicalize_name(each.name), str(each.specifier).removeprefix("=="))
        for each in locked()
        if each.marker is None or each.marker.evaluate()
    }
    assert {(canonicalize_name(each["name"]), each["version"]) for each in components} == expected


def test_the_bill_of_materials_tells_what_the_gateway_needs_itself_and_under_which_licences(dist: Path) -> None:
    document = bill_of_materials(dist)
    root = document["metadata"]["component"]
    [needed] = [each["dependsOn"] for each in document["dependencies"] if each["ref"] == root["bom-ref"]]
    names = {each["bom-ref"]: each["name"].lower() for each in document["components"]}
    direct = {names[reference] for reference in needed}
    assert {"flask", "grpcio", "gunicorn", "psycopg"} <= direct
    assert "werkzeug" not in direct  # which Flask needs
    without_licence = {each["name"] for each in document["components"] if not each.get("licenses")}
    assert without_licence <= {"protobuf"}  # whose metadata has it in words only
