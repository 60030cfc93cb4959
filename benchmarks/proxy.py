"""nginx with the configuration that ``deploy/`` ships, on loopback, in a folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TEMPLATE = Path(__file__).parents[1] / "deploy" / "nginx.conf.template"
BINARY = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
START_SECONDS = 30.0


def free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path, name: str = "tls", days: int = 2) -> tuple[Path, Path]:
    """Make a self-signed certificate for localhost and 127.0.0.1, ``name.crt``; return it and its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", str(days)]
    command = ["openssl", "req", "-x509", "-nodes", *kind, *subject, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@contextmanager
def nginx(*upstreams: int, tls: bool = False) -> Iterator[int]:
    """Start nginx before gateways on ports of loopback; yields nginx's port."""
    if BINARY is None:
        raise RuntimeError("nginx is missing: `make services` installs it")
    port = free_port()
    with TemporaryDirectory(prefix="omni-gateway-nginx-") as state:
        folder = Path(state)
        folder.chmod(0o755)  # its workers may run as somebody else
        cert, key = certificate(folder)
        values = {
            "LISTEN": f"127.0.0.1:{port}{' ssl' if tls else ''}",
            "UPSTREAM": " max_fails=0; server ".join(f"127.0.0.1:{port}" for port in upstreams),
            "STATE": state,
            "TLS_CERT_FILE": str(cert),
            "TLS_KEY_FILE": str(key),
        }
        text = TEMPLATE.read_text()
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        (folder / "nginx.conf").write_text(text)
        process = subprocess.Popen([BINARY, "-p", state, "-c", f"{state}/nginx.conf", "-g", "daemon off;"])
        try:
            _wait(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("nginx did not start")
