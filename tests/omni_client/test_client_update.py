"""An update replaces an object whole, so it sends back what was read."""

from __future__ import annotations

from omni_gateway.omni import OmniClient
from tests.omni_client.scripted_omni import ScriptedOmni


def test_an_update_sends_back_everything_that_was_read(client: OmniClient, scripted: ScriptedOmni) -> None:
    read = {
        "metadata": {
            "namespace": "default",
            "type": "Clusters.omni.sidero.dev",
            "id": "c1",
            "version": 16,
            "owner": "SomeController",
            "phase": "running",
            "created": "2026-11-23T19:08:34Z",
            "updated": "0001-01-01T00:00:00Z",
            "finalizers": ["A", "B"],
            "labels": {"env": "rig"},
            "annotations": {"note": ""},
        },
        "spec": {"talos_version": "1.13.8"},
    }
    client.resources.update(read, version=16)

    request = scripted.asked[0].request
    metadata = request.resource.metadata
    assert (request.currentVersion, metadata.version) == ("16", "16")
    assert (metadata.owner, metadata.phase, list(metadata.finalizers)) == ("SomeController", "running", ["A", "B"])
    assert (dict(metadata.labels), dict(metadata.annotations)) == ({"env": "rig"}, {"note": ""})
    assert metadata.created.ToJsonString() == "2026-11-23T19:08:34Z"
    assert request.resource.spec == '{"talos_version":"1.13.8"}'


def test_an_update_without_a_version_means_the_last_write_wins(client: OmniClient, scripted: ScriptedOmni) -> None:
    client.resources.update({"metadata": {"type": "T", "id": "a", "version": 3}, "spec": {}}, version=None)
    request = scripted.asked[0].request
    assert (request.currentVersion, request.resource.metadata.version) == ("undefined", "undefined")
