"""The promises of the HTTP contract for what is only read, or only removed."""

from __future__ import annotations

from collections.abc import Sequence

from omni_gateway.sdk.testing import EmbeddedOmni, ResourceConformance
from resources import (
    kubernetesversion,
    link,
    ongoingtask,
    pendingmachine,
    platform,
    talosextension,
    talosversion,
)


class TestKubernetesVersions(ResourceConformance):
    plugin = kubernetesversion.plugin


class TestTalosVersions(ResourceConformance):
    plugin = talosversion.plugin


class TestTalosExtensions(ResourceConformance):
    plugin = talosextension.plugin


class TestLinks(ResourceConformance):
    plugin = link.plugin


class TestPendingMachines(ResourceConformance):
    plugin = pendingmachine.plugin


class TestOngoingTasks(ResourceConformance):
    plugin = ongoingtask.plugin


class TestPlatforms(ResourceConformance):
    plugin = platform.plugin

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        return ["aws", "azure", "gcp"]
