"""A client of one gateway."""

from __future__ import annotations

import ssl

import httpx

from .client import AuthenticatedClient
from .retries import Retries, RetryingTransport


def connect(
    url: str,
    token: str,
    *,
    retries: Retries | None = None,
    timeout: float = 60.0,
    verify: bool | ssl.SSLContext = True,
) -> AuthenticatedClient:
    """Return a client of one gateway: the argument ``client`` of each generated function.

    :param url: the gateway's URL, without a path: ``https://gateway.example.com``.
    :param token: a token of the gateway, or a JWT.
    :param timeout: seconds without a byte after which a request has failed.
    :param verify: the certificates that are trusted, as of httpx.
    """
    transport = RetryingTransport(retries or Retries(), verify)
    return AuthenticatedClient(
        base_url=url.rstrip("/"),
        token=token,
        timeout=httpx.Timeout(timeout),
        httpx_args={"transport": transport},
    )
