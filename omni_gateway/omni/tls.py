"""TLS trust: the system's authorities, a file's, or (``OMNI_INSECURE``) the certificate that the server presents."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from omni_gateway.omni.endpoint import Endpoint
from omni_gateway.omni.errors import Unavailable

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
_BUNDLES = ("ca-certificates.crt", "ca-bundle.crt", "tls-ca-bundle.pem")


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificates a channel accepts: PEM roots (None for the system's) and the name to expect, if another."""

    roots: bytes | None = None
    expected_name: str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Return gRPC's form of it."""
        return grpc.ssl_channel_credentials(root_certificates=self.roots or system_roots())


def system_roots() -> bytes | None:
    """Return the system's authorities as PEM; None for those that gRPC is configured with or bundles.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are respected. The standard library loads a directory of authorities only on
    demand, so the bundle that distributions have in that directory is read instead.
    """
    if os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"):
        return None
    paths = ssl.get_default_verify_paths()
    bundles = [paths.cafile] if paths.cafile else []
    bundles += [f"{paths.capath}/{name}" for name in _BUNDLES] if paths.capath else []
    for bundle in map(Path, bundles):
        if bundle.is_file():
            return bundle.read_bytes()
    return None


def trust_on_sight(endpoint: Endpoint) -> Trust:
    """Fetch the server's certificate and trust exactly that one from now on.

    gRPC has no switch to skip verification, so the first certificate becomes the root. A man in the middle at that
    moment is trusted: hence the warning. A certificate that is renewed later is refused until the client is closed or
    the process restarted. Raises ``Unavailable`` when there is no TLS server.
    """
    log.warning(
        "OMNI_INSECURE is set: the certificate of %s is trusted unseen; use OMNI_CA_FILE instead", endpoint.authority
    )
    try:
        pem = ssl.get_server_certificate((endpoint.host, endpoint.port), timeout=_CONNECT_SECONDS)
        names = _names_in(pem, endpoint)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unavailable(
            grpc.StatusCode.UNAVAILABLE, f"no certificate could be fetched from {endpoint.authority}: {reason}"
        ) from None
    expected = None if endpoint.host in names else next(iter(names), None)
    return Trust(pem.encode("ascii"), expected)


def _names_in(pem: str, endpoint: Endpoint) -> list[str]:
    """Return the names that the certificate is for; the standard library parses only one that it has verified."""
    context = ssl.create_default_context(cadata=pem)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=_CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=endpoint.host) as secure,
    ):
        certificate: dict[str, Any] = dict(secure.getpeercert() or {})
    alternatives = [str(value) for _, value in certificate.get("subjectAltName", ())]
    subject = [str(value) for rdn in certificate.get("subject", ()) for key, value in rdn if key == "commonName"]
    return [name.replace("*", "any") for name in alternatives or subject]
