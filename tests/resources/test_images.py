"""The promises of the HTTP contract for images and requests of machines."""

from __future__ import annotations

from omni_gateway.sdk.testing import ResourceConformance
from resources import installationmedia, machinerequestset, schematic


class TestSchematics(ResourceConformance):
    plugin = schematic.plugin


class TestInstallationMedias(ResourceConformance):
    plugin = installationmedia.plugin


class TestMachineRequestSets(ResourceConformance):
    plugin = machinerequestset.plugin
