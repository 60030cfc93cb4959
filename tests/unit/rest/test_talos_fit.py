"""Which machines can join a cluster, by the Talos that they run and by Omni's version."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.model.resource import Resource
from omni_gateway.rest.talos_fit import TalosFit, series

INSTALLED = {"omni.sidero.dev/installed": ""}


def machine(talos: str, labels: dict[str, str], **spec: Any) -> Resource:
    return Resource("m1", {"talos_version": talos, **spec}, labels)


@pytest.mark.parametrize(
    ("runs", "labels", "wanted", "installs", "refused"),
    [
        ("v1.12.6", {}, "1.12.8", False, ""),
        ("v1.12.6", {}, "1.13.0", False, "without being installed"),
        ("v1.12.6", {}, "1.13.0", True, "without being installed"),
        ("v1.13.1", {}, "1.14.0", False, "without being installed"),
        ("v1.13.1", {}, "1.14.0", True, ""),
        ("v1.12.6", INSTALLED, "1.14.0", False, ""),
        ("v1.14.0", INSTALLED, "1.13.8", True, "newer than"),
        ("v1.14.0", {}, "1.13.8", True, "newer than"),
        ("v1.13.9", INSTALLED, "1.13.1", True, ""),
        ("", {}, "1.13.1", False, ""),
        ("v1.13.1", {}, "nonsense", False, ""),
    ],
)
def test_a_machine_fits_by_its_minor_and_whether_it_is_installed(
    runs: str, labels: dict[str, str], wanted: str, installs: bool, refused: str
) -> None:
    text = TalosFit(wanted, installs).refusal(machine(runs, labels))

    assert (refused in text) if text and refused else text is None and not refused


def test_a_machine_in_agent_mode_is_installed_by_its_provider() -> None:
    agent = machine("v1.12.6", {}, schematic={"in_agent_mode": True})

    assert TalosFit("1.13.0", installs=False).refusal(agent) is None


@pytest.mark.parametrize(
    ("text", "wanted"), [("v1.7.0-beta.0", (1, 7)), ("1.10.2", (1, 10)), ("unknown", None), ("", None)]
)
def test_a_version_is_read_by_major_and_minor(text: str, wanted: tuple[int, int] | None) -> None:
    assert series(text) == wanted
