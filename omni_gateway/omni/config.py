"""The client's settings, with their environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from omni_gateway.environment.secret_files import SUFFIX, SecretFileError, read_secret
from omni_gateway.omni.endpoint import Endpoint, parse_endpoint
from omni_gateway.omni.faults import ConfigError
from omni_gateway.omni.keys import parse_key

__all__ = ["ConfigError", "OmniConfig"]

MIB = 1024 * 1024
#: The first one that is set is used; each may be in a file, whose path has ``_FILE`` after its name.
KEY_VARIABLES = ("SIDERO_SERVICE_ACCOUNT_KEY", "OMNI_SERVICE_ACCOUNT_KEY")
#: All variables that a configuration is read from.
VARIABLES = (
    "OMNI_ENDPOINT",
    *KEY_VARIABLES,
    *(name + SUFFIX for name in KEY_VARIABLES),
    "OMNI_CA_FILE",
    "OMNI_INSECURE",
    "OMNI_TRANSPORT",
)
Transport = Literal["auto", "grpc", "http"]
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True)
class OmniConfig:
    """Everything a client needs to reach one Omni.

    ``endpoint``: a URL, see ``parse_endpoint``. ``service_account_key``: the base64 text that Omni hands out for a
    service account; empty means unsigned calls, which Omni refuses almost everywhere. ``ca_file``: PEM file of the
    authorities to trust instead of the system's. ``insecure``: trust whatever certificate the server shows.
    ``timeout``: seconds for each unary call. ``max_message_bytes``: the largest message either way; Omni
    takes 32 MiB, and answers a list of ten thousand machines with more. ``max_list_bytes``: the largest list of a type,
    which is read by a watch if it does not fit into one message. ``transport``: gRPC, Omni's HTTP gateway, or the first
    of them that Omni answers over.
    Raises ``ConfigError`` for an invalid value.
    """

    endpoint: str
    service_account_key: str = field(default="", repr=False)
    ca_file: str | None = None
    insecure: bool = False
    timeout: float = 20.0
    max_message_bytes: int = 128 * MIB
    max_list_bytes: int = 512 * MIB
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        parse_endpoint(self.endpoint)
        if self.service_account_key:
            parse_key(self.service_account_key, variable="the service account's key")
        if self.timeout <= 0:
            raise ConfigError("the timeout of a call must be more than 0 seconds")
        if self.max_message_bytes <= 0:
            raise ConfigError("the largest message must be more than 0 bytes")
        if self.transport not in get_args(Transport):
            raise ConfigError("OMNI_TRANSPORT must be auto, grpc or http")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ, *, key_needed: bool = True) -> OmniConfig:
        """Read ``OMNI_ENDPOINT``, a key or its file, ``OMNI_CA_FILE``, ``OMNI_INSECURE``, ``OMNI_TRANSPORT``.

        Raises ``ConfigError``, which names the variable. Without a key that is not ``key_needed``, calls are unsigned.
        """
        endpoint = environ.get("OMNI_ENDPOINT", "").strip()
        if not endpoint:
            raise ConfigError("OMNI_ENDPOINT is not set; it is Omni's URL, such as https://omni.example.com")
        config = cls(
            endpoint=endpoint,
            service_account_key=_key_from(environ, key_needed),
            ca_file=environ.get("OMNI_CA_FILE", "").strip() or None,
            insecure=_flag(environ, "OMNI_INSECURE"),
            transport=cast(Transport, environ.get("OMNI_TRANSPORT", "").strip().lower() or "auto"),
        )
        config.trust_roots()
        return config

    @property
    def address(self) -> Endpoint:
        """Return the endpoint, parsed."""
        return parse_endpoint(self.endpoint)

    def trust_roots(self) -> bytes | None:
        """Return the PEM text of ``ca_file``, or None for the system's authorities; ``ConfigError`` if unreadable."""
        if self.ca_file is None:
            return None
        try:
            pem = Path(self.ca_file).read_bytes()
        except OSError as error:
            raise ConfigError(f"OMNI_CA_FILE cannot be read: {error.strerror}") from None
        if b"-----BEGIN CERTIFICATE-----" not in pem:
            raise ConfigError("OMNI_CA_FILE holds no PEM certificate")
        return pem


def _key_from(environ: Mapping[str, str], needed: bool) -> str:
    for variable in KEY_VARIABLES:
        try:
            key = read_secret(environ, variable)
        except SecretFileError as error:
            raise ConfigError(str(error)) from None
        if key.text:
            parse_key(key.text, variable=key.variable)
            return key.text
    if not needed:
        return ""
    raise ConfigError(
        f"OMNI_SERVICE_ACCOUNT_KEY is not set, nor OMNI_SERVICE_ACCOUNT_KEY{SUFFIX} (nor SIDERO_SERVICE_ACCOUNT_KEY,"
        " which wins); `omnictl serviceaccount create NAME` prints one"
    )


def _flag(environ: Mapping[str, str], variable: str) -> bool:
    text = environ.get(variable, "").strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ConfigError(f"{variable} must be true or false")
