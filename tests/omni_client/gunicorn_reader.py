"""A WSGI application of ten lines that reads through one client, made and used when the module is imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from omni_gateway.omni import OmniClient, OmniConfig

client = OmniClient(OmniConfig.from_environ())
client.ping()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    client.resources.get("Clusters.omni.sidero.dev", "c1")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
