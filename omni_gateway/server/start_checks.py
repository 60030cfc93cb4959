"""Checks before ``serve`` starts anything: each failure is one line that says what to do."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from omni_gateway.server import passed_socket
from omni_gateway.settings import PREFIX, Settings, SettingsError

BIND = f"{PREFIX}BIND"
_FOLDER_MODE = 0o700
#: Set by gunicorn for the process that replaces it (SIGUSR2): this one takes over the sockets.
_INHERITED_SOCKETS = "GUNICORN_FD"


def check(bind: str, settings: Settings) -> None:
    """Raise SettingsError if the address, the state directory or the TLS files cannot be used."""
    if _INHERITED_SOCKETS not in os.environ and not passed_socket.address():
        check_address(bind)
    if settings.omni is None or not settings.store_url:
        check_folder(settings.state_dir)
    if settings.tls_cert_file:
        check_tls(settings.tls_cert_file, settings.tls_key_file)


def check_address(bind: str) -> None:
    """Raise SettingsError if ``serve`` cannot listen at an address: ``HOST:PORT``, ``unix:PATH`` or ``fd://N``."""
    if bind.startswith("fd://"):
        return
    if bind.startswith("unix:"):
        _check_socket_file(Path(bind.removeprefix("unix:")))
        return
    host, port = _host_and_port(bind)
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)  # two sockets can be bound to one address with SO_REUSEADDR, but only one can listen
    except socket.gaierror as error:
        raise SettingsError(f"{bind}: there is no host {host!r} ({error.strerror})") from error
    except OSError as error:
        raise SettingsError(f"{bind}: {_reason(error, host, port)}") from error


def _host_and_port(bind: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{bind.removeprefix('tcp://')}")
        port = parts.port
    except ValueError:
        port = None
    if port is None:
        raise SettingsError(f"{bind!r} is not an address to listen at: it must be like 127.0.0.1:8080 or unix:PATH")
    return parts.hostname or "", port


def _reason(error: OSError, host: str, port: int) -> str:
    another = f"choose another port with {BIND}={_bracketed(host)}:{port + 1 if 1023 < port < 65535 else 8080}"
    if error.errno == errno.EADDRINUSE:
        return f"another program listens there already. Stop it, or {another}"
    if error.errno == errno.EACCES:
        return f"only root may listen at this port: {another}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. 127.0.0.1 is for this machine only, 0.0.0.0 for all"
    return error.strerror or str(error)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _check_socket_file(path: Path) -> None:
    if path.exists() and not path.is_socket():
        raise SettingsError(f"unix:{path}: there is a file of this name that is not a socket")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise SettingsError(f"unix:{path}: no file can be made in {str(path.parent)!r}")


def check_folder(folder: Path) -> None:
    """Make the state directory; raise SettingsError if it cannot be made, or no file can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            f"the state directory {str(folder)!r} cannot be used: {error.strerror}."
            f" Make it writable, or name another with {PREFIX}STATE_DIR=PATH"
        ) from error


def check_tls(certificate: str, key: str) -> None:
    """Raise SettingsError if a certificate and its key cannot be read, or do not belong together."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = (error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)) or "unreadable"
        reason = reason.replace("_", " ").lower()
        names = f"{PREFIX}TLS_CERT_FILE and {PREFIX}TLS_KEY_FILE"
        raise SettingsError(f"{names} must be a PEM certificate and its key without a password: {reason}") from error
