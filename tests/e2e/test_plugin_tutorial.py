"""docs/plugins/tutorial.md, followed to the letter and with a clock: from an empty folder to routes that answer."""

from __future__ import annotations

import difflib
import json
import os
import re
import site
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.shell import bash

from .conftest import free_port

pytestmark = [pytest.mark.packages, pytest.mark.timeout(900)]

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "tutorial.md"
#: Of the ten minutes: what is left for typing, at a minute for ten lines.
MOST_SECONDS = 360
MOST_LINES = 40
LEAST_CHECKS = 60
BLOCK = re.compile(r"(?:^`([^`\n]+)`[^\n]*:\n\n)?^```(\w+)\n(.*?)^```$", flags=re.M | re.S)


@dataclass
class Followed:
    """What following the page has led to."""

    folder: Path
    python: Path
    printed: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    seconds: float = 0.0


def steps() -> Iterator[tuple[str, str, str]]:
    """Yield the blocks of the page: the name of the file or ``sh``, the language, the text."""
    for file, language, text in BLOCK.findall(PAGE.read_text()):
        if file or language == "sh":
            yield file, language, text


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's environment, with the gateway under test where the page takes the one of the package index."""
    folder = tmp_path_factory.mktemp("tutorial")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    packages = next((folder / ".venv" / "lib").glob("python*")) / "site-packages"
    ours = site.getsitepackages()[0]
    (packages / "the-tests-own.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    for name, module in {"pip": "pip", "pytest": "pytest", "omni-gateway": "omni_gateway.cli"}.items():
        script = folder / ".venv" / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{folder}/.venv/bin/python" -m {module} "$@"\n')
        script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def followed(environment: Path) -> Followed:
    """Follow the page up to the server."""
    result = Followed(environment, environment / ".venv" / "bin" / "python")
    # The environment has the packages that the plugin names, so nothing is fetched after the first block.
    offline = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # An author's environment has no other plugins of pytest than the gateway's.
    offline["PYTEST_ADDOPTS"] = "-p no:schemathesis -p no:hypothesispytest -p no:xdist -p no:anyio"
    package = environment / "omni-gateway-plugin-tunnels"
    began = time.monotonic()
    with bash(environment, **offline) as shell:
        for file, _, text in list(steps())[1:]:
            if text.startswith("omni-gateway serve"):
                break
            if file:
                result.written += added(package / file, text)
                (package / file).write_text(text)
            else:
                result.printed[text.split("\n")[0]] = shell.run(f"PATH={environment}/.venv/bin:$PATH\n{text}")
    result.seconds = time.monotonic() - began
    return result


def test_the_page_takes_minutes_and_few_lines(followed: Followed) -> None:
    assert followed.seconds < MOST_SECONDS
    assert len(followed.written) <= MOST_LINES, "\n".join(followed.written)


def test_the_package_has_the_best_grade(followed: Followed) -> None:
    assert followed.printed["omni-gateway plugin check ."].split("\n")[1].split()[-1] == "platinum"


def test_the_author_inherits_the_checks_of_the_contract(followed: Followed) -> None:
    passed = re.search(r"^=* ?(\d+) passed\b(?!.*(?:failed|error|skipped))", followed.printed["pytest"], flags=re.M)
    assert passed, followed.printed["pytest"][-3000:]
    assert int(passed[1]) - 1 >= LEAST_CHECKS


def test_the_installed_package_is_served_with_documents(followed: Followed) -> None:
    installed = next(printed for block, printed in followed.printed.items() if block.startswith("pip install"))
    assert re.search(r"^tunnels\s.*\sloaded$", installed, flags=re.M)
    port = free_port()
    environ = {**clean_environment(), "OMNI_GATEWAY_BIND": f"127.0.0.1:{port}", "OMNI_GATEWAY_WORKERS": "1"}
    serve = [followed.python, "-m", "omni_gateway.cli", "serve"]
    last = list(steps())[-1][2].replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    with (followed.folder / "serve.log").open("w+") as log:
        server = subprocess.Popen(serve, cwd=followed.folder, env=environ, stdout=log, stderr=log)
        try:
            token = token_of(server, followed.folder / "serve.log")
            with bash(followed.folder, TOKEN=token) as shell:
                path, listed = shell.run(last).split("\n")[1:3]
            document = httpx.get(f"http://127.0.0.1:{port}/openapi.json?tag=tunnels").json()
        finally:
            server.terminate()
            server.wait(30)
    assert json.loads(path) == {"by_tunnel": True, "connected": True}
    assert [each["enabled"] for each in json.loads(listed)] == [True]
    assert {"/api/v1/tunnels", "/api/v1/tunnels/{id}", "/api/v1/tunnels/{id}/path"} <= set(document["paths"])


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of a gateway's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}


def added(file: Path, text: str) -> list[str]:
    """Return the lines with something in them that an author writes to make a file have this text."""
    before = file.read_text().splitlines() if file.exists() else []
    return [line for line in difflib.ndiff(before, text.splitlines()) if line.startswith("+ ") and line[2:].strip()]


def token_of(server: subprocess.Popen[bytes], log: Path) -> str:
    """Return the token that the start shows, once it serves."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        if shown := re.search(r"TOKEN=(\S+)", log.read_text()):
            return shown[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())
