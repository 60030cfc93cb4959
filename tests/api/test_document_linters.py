"""Spectral and Redocly have nothing to say about the document, not even a warning."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from clients import build

LINTERS = Path(__file__).with_name("linters")
SPECTRAL_RULES = "spectral.yaml" if os.environ.get("LINT_EXAMPLES") else "spectral-without-examples.yaml"
FOLDER = build.WORK.with_name("linters")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="node or npm is missing"),
]


@pytest.fixture(scope="module")
def folder(app: Flask) -> Path:
    """A folder with the linters, their rules and the document."""
    try:
        build.npm_install(LINTERS, FOLDER)
    except build.RegistryUnreachable as error:
        pytest.skip(f"no registry for the linters: {str(error).splitlines()[0]}")
    for rules in LINTERS.glob("*.yaml"):
        shutil.copy(rules, FOLDER)
    (FOLDER / "openapi.json").write_bytes(app.test_client().get("/openapi.json").data)
    return FOLDER


def lint(folder: Path, *command: str) -> str:
    """Return what a linter prints to standard output; its notes on the version of Node.js go to standard error."""
    environ = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    program = folder / "node_modules" / ".bin" / command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, env=environ, capture_output=True, text=True, timeout=560, check=False
    )
    assert done.stdout, done.stderr
    return done.stdout


def test_spectral_has_neither_errors_nor_warnings(folder: Path) -> None:
    said = lint(folder, "spectral", "lint", "openapi.json", "-r", SPECTRAL_RULES, "--format", "json", "--quiet")
    assert json.loads(said) == []


def test_redocly_has_neither_errors_nor_warnings(folder: Path) -> None:
    said = json.loads(lint(folder, "redocly", "lint", "openapi.json", "--config", "redocly.yaml", "--format", "json"))
    assert said["problems"] == []
    assert said["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}
