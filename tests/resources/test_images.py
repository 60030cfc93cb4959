"""The promises of the HTTP contract for images and requests of machines."""

from __future__ import annotations

from omni_gateway.sdk.testing import EmbeddedOmni, ResourceConformance
from resources import installationmedia, machinerequestset, schematic


class TestSchematics(ResourceConformance):
    plugin = schematic.plugin
    second = {"talos_version": "1.13.7", "extensions": ["siderolabs/iscsi-tools"]}
    takes_labels = False
    made_by_back_end = ("id",)


class TestInstallationMedias(ResourceConformance):
    plugin = installationmedia.plugin


class TestMachineRequestSets(ResourceConformance):
    plugin = machinerequestset.plugin

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put("InfraProviders.omni.sidero.dev", "bare-metal", namespace="infra-provider")
