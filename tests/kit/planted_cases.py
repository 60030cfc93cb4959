"""A conformance class for each sound plugin and for each with a planted mistake.

No run of the tests collects this file: :mod:`tests.kit.test_planted_bugs` runs parts of it, where failures are what is
asked for.
"""

from __future__ import annotations

from omni_gateway.sdk import ResourcePlugin
from omni_gateway.sdk.omni import label_names
from omni_gateway.sdk.testing import ResourceConformance

from .planted import PLANTED
from .sound import sound_racks, sound_tunnels

CLUSTER = "kit-cluster"
OF_CLUSTER = {label_names.LABEL_CLUSTER: CLUSTER}


class Racks(ResourceConformance):
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


class Tunnels(ResourceConformance):
    cluster = CLUSTER
    example = {"id": "00000000-0000-4000-8000-00000000abcd", "enabled": True, "labels": OF_CLUSTER}
    second = {"id": "00000000-0000-4000-8000-00000000abce", "enabled": False, "labels": OF_CLUSTER}


def class_of(plugin: ResourcePlugin) -> str:
    """Return the name of a plugin's class in this module."""
    return "Test" + "".join(word.capitalize() for word in plugin.name.split("-"))


for plugin in (sound_racks, sound_tunnels, *(each.plugin for each in PLANTED)):
    base = Racks if plugin.name.startswith("racks") else Tunnels
    globals()[class_of(plugin)] = type(class_of(plugin), (base,), {"plugin": plugin})
