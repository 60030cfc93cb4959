"""The Omni client without the gateway: list the clusters, then watch them for ten seconds.

OMNI_ENDPOINT=https://omni.example.com OMNI_SERVICE_ACCOUNT_KEY=… python examples/plain_client.py [SECONDS]
"""

from __future__ import annotations

import sys
from threading import Timer

from omni_gateway.omni import ConfigError, OmniClient, OmniConfig, OmniError

CLUSTERS = "Clusters.omni.sidero.dev"


def main(seconds: float) -> None:
    with OmniClient(OmniConfig.from_environ()) as omni:
        print(f"as {omni.identity.name}, whose key expires {omni.identity.expires or 'never'}")

        clusters = omni.resources.list(CLUSTERS)
        print(f"{clusters.total} clusters")
        for cluster in clusters.items:
            print(f"  {cluster['metadata']['id']}: Kubernetes {cluster['spec']['kubernetes_version']}")

        with omni.resources.watch(CLUSTERS) as changes:
            Timer(seconds, changes.cancel).start()
            for change in changes:
                print(change.kind, change.resource["metadata"]["id"] if change.resource else "")


if __name__ == "__main__":
    try:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
    except (ConfigError, OmniError) as error:
        sys.exit(f"plain_client: {error}")
