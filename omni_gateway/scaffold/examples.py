"""Examples of types whose contents Omni checks: what the fields alone suggest, it would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.omni import types

#: A body without its id, and a merge patch that changes it.
EXAMPLES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    types.KUBERNETES_HEALTH_CHECKS: (
        {
            "labels": {"omni.sidero.dev/cluster": "my-cluster"},
            "job": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: check\n",
            "interval": "60s",
        },
        {"interval": "120s"},
    ),
    types.KUBERNETES_MANIFEST_GROUPS: (
        {
            "labels": {"omni.sidero.dev/cluster": "my-cluster"},
            "data": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: tools\n",
            "mode": "FULL",
        },
        {"mode": "ONE_TIME"},
    ),
    types.MACHINE_INSTALL_DISK_CONFIGS: ({"disk": "/dev/vda"}, {"disk": "/dev/vdb"}),
    types.MACHINE_REQUESTS: (
        {
            "labels": {"omni.sidero.dev/infra-provider-id": "my-provider"},
            "talos_version": "1.11.2",
            "extensions": ["siderolabs/hello-world-service"],
        },
        {"extensions": []},
    ),
}
