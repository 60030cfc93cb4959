"""A conformance class for each sound plugin and for each with a planted mistake.

No run of the tests collects this file: :mod:`tests.kit.test_planted_bugs` runs it, where failures are what is asked
for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourcePlugin
from omni_gateway.sdk.omni import label_names
from omni_gateway.sdk.testing import ResourceConformance
from omni_gateway.testing.case import Case

from .planted import PLANTED
from .sound import sound_racks, sound_tunnels

CLUSTER = "kit-cluster"
OF_CLUSTER = {label_names.LABEL_CLUSTER: CLUSTER}


class Racks(Case):
    cluster = CLUSTER
    example = {
        "id": "Rack-A",
        "title": "Row 1, rack A",
        "units": 42,
        "contact": {"name": "Ada", "phone": "1815"},
        "password": "correct horse",
        "labels": OF_CLUSTER,
    }
    second = {
        "id": "rack-b",
        "title": "Row 1, rack B",
        "units": 24,
        "contact": {"name": "Bob", "phone": "1900"},
        "labels": OF_CLUSTER,
    }


class Tunnels(Case):
    cluster = CLUSTER
    example = {"id": "00000000-0000-4000-8000-00000000abcd", "enabled": True, "labels": OF_CLUSTER}
    second = {"id": "00000000-0000-4000-8000-00000000abce", "enabled": False, "labels": OF_CLUSTER}
    #: A start of a gateway with all these plugins takes long, and tests/resources has the check of an Omni type.
    unfit = {"test_a_restart_keeps_what_was_written": "Omni has the objects; the restart is checked with racks"}


def class_of(plugin: ResourcePlugin) -> str:
    """Return the name of a plugin's class in this module."""
    return "Test" + "".join(word.capitalize() for word in plugin.name.split("-"))


def add_class(plugin: ResourcePlugin, base: type, members: Mapping[str, Any]) -> None:
    """Add the class of a plugin to this module."""
    example = Racks if plugin.name.startswith("racks") else Tunnels
    globals()[class_of(plugin)] = type(class_of(plugin), (example, base), {"plugin": plugin, **members})


for plugin in (sound_racks, sound_tunnels):
    add_class(plugin, ResourceConformance, {})
for planted in PLANTED:
    # Only the checks that are to find it: to collect all of them for each plugin would take a third of the time.
    names = [check.partition("[")[0] for check in planted.found_by]
    add_class(planted.plugin, Case, {name: getattr(ResourceConformance, name) for name in names})
