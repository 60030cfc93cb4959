"""The promises of the HTTP contract for what is only read, or only removed."""

from __future__ import annotations

from collections.abc import Sequence

from omni_gateway.sdk.testing import EmbeddedOmni
from resources import (
    clustermetrics,
    kubernetesversion,
    link,
    machinemetrics,
    ongoingtask,
    pendingmachine,
    platform,
    talosextension,
    talosversion,
)

from .built_in import BuiltIn


class TestKubernetesVersions(BuiltIn):
    plugin = kubernetesversion.plugin


class TestTalosVersions(BuiltIn):
    plugin = talosversion.plugin


class TestTalosExtensions(BuiltIn):
    plugin = talosextension.plugin


class TestClusterMetrics(BuiltIn):
    plugin = clustermetrics.plugin

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        versions = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
        omni.put("Clusters.omni.sidero.dev", "metrics-of-this", versions)  # the first one has Omni write them
        return ["metrics"]


class TestMachineMetrics(BuiltIn):
    plugin = machinemetrics.plugin

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        return ["metrics"]  # there from the start


class TestLinks(BuiltIn):
    plugin = link.plugin


class TestPendingMachines(BuiltIn):
    plugin = pendingmachine.plugin


class TestOngoingTasks(BuiltIn):
    plugin = ongoingtask.plugin


class TestPlatforms(BuiltIn):
    plugin = platform.plugin

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        return ["aws", "azure", "gcp"]
