"""The promises of the HTTP contract for images and requests of machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk.testing import EmbeddedOmni
from resources import installationmedia, machinerequestset, schematic

from .built_in import BuiltIn


class TestSchematics(BuiltIn):
    plugin = schematic.plugin
    second = {"talos_version": "1.13.7", "extensions": ["siderolabs/iscsi-tools"]}
    takes_labels = False
    made_by_back_end = ("id", "yaml")

    def body(self, number: int, token: str) -> Mapping[str, Any]:
        return {"talos_version": "1.13.7", "extra_kernel_args": [f"kit={token}-{number}"]}


class TestInstallationMedias(BuiltIn):
    plugin = installationmedia.plugin


class TestMachineRequestSets(BuiltIn):
    plugin = machinerequestset.plugin
    unfit = {"test_a_further_route_of_a_missing_object_is_404": "Omni lets nobody read their statuses: 403"}

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put(
            "InfraProviderStatuses.omni.sidero.dev", "bare-metal", {"name": "bare-metal"}, namespace="infra-provider"
        )
