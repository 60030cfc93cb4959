"""A plain Python client of Sidero Omni: signed gRPC calls, no web framework.

>>> from omni_gateway.omni import OmniClient, OmniConfig
>>> with OmniClient(OmniConfig.from_environ()) as omni:            # doctest: +SKIP
...     omni.resources.list("Clusters.omni.sidero.dev").total      # doctest: +SKIP
"""

from omni_gateway.omni.client import OmniClient
from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.faults import ConfigError
from omni_gateway.omni.keys import KeyIdentity, ServiceAccountKey, parse_key
from omni_gateway.omni.resources import ListResult, Watch, WatchEvent
from omni_gateway.omni.signing import AnonymousSigner, KeySigner, Signer
from omni_gateway.omni.streams import Stream

__all__ = [
    "AnonymousSigner",
    "ConfigError",
    "KeyIdentity",
    "KeySigner",
    "ListResult",
    "OmniClient",
    "OmniConfig",
    "OmniError",
    "ServiceAccountKey",
    "Signer",
    "Stream",
    "Watch",
    "WatchEvent",
    "parse_key",
]
