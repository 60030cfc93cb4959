"""A host as docs/operations takes it: the folders of a gateway under systemd, its settings, and a root's shell."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import free_port
from tests.shell import Shell, bash, section

FOLDER = Path(__file__).parents[2] / "docs" / "operations"
#: Has the functions that all pages use.
RUNBOOKS = FOLDER / "runbooks.md"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")
PROGRAM = "/opt/omni-gateway/bin/omni-gateway"
#: What systemd does for the pages: a gateway that is a child of the shell; `start` returns when it is ready.
SYSTEMCTL = """
unset ${!OMNI_@} ${!SIDERO_@}
gateway_pid=
serve() {
  OMNI_GATEWAY_CONFIG_FILE=/etc/omni-gateway/environment OMNI_GATEWAY_STATE_DIR=/var/lib/omni-gateway \\
  OMNI_SERVICE_ACCOUNT_KEY_FILE=/etc/omni-gateway/omni-service-account-key exec /opt/omni-gateway/bin/omni-gateway serve
}
systemctl() {
  [ "$2" = omni-gateway ]
  case $1 in
    start)
      serve >> /var/log/omni-gateway/log 2>&1 < /dev/null &
      gateway_pid=$!
      until curl -q -fsk -o /dev/null $URL/readyz; do
        kill -0 $gateway_pid 2>/dev/null || { echo "Job for omni-gateway.service failed."; return 1; }
        sleep 0.2
      done;;
    stop) [ -z "$gateway_pid" ] || { kill $gateway_pid; wait $gateway_pid || true; gateway_pid=; };;
    restart) systemctl stop omni-gateway; systemctl start omni-gateway;;
    reload) kill -HUP $gateway_pid;;
    *) return 2;;
  esac
}
trap 'systemctl stop omni-gateway' EXIT
"""


class Host:
    """A host of one gateway, which is not started yet; the folders of the pages are below one of the test's own."""

    def __init__(self, folder: Path, simulator: RunningSimulator, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.metrics_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.etc, self.state, self.log, self.backup = (
            folder / name for name in ("etc/omni-gateway", "var/lib/omni-gateway", "var/log/omni-gateway", "backup")
        )
        for each in (self.etc, self.state, self.log, self.backup):
            each.mkdir(parents=True, mode=0o700)
        (self.etc / "omni-service-account-key").touch(mode=0o600)
        (self.etc / "omni-service-account-key").write_text(simulator.key)
        lines = {
            "OMNI_ENDPOINT": simulator.endpoint,
            "OMNI_GATEWAY_BIND": f"127.0.0.1:{self.port}",
            "OMNI_GATEWAY_WORKERS": "1",
            "OMNI_GATEWAY_DRAIN": "0",
            # Longer than a busy machine takes.
            "OMNI_GATEWAY_STORE_TIMEOUT": "60",
            "OMNI_GATEWAY_OMNI_TIMEOUT": "60",
            "OMNI_GATEWAY_AUDIT_FILE": str(self.log / "audit"),
            **settings,
        }
        (self.etc / "environment").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    def here(self, text: str) -> str:
        """Return a page's text with the paths and the address of this host."""
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:9090", f"127.0.0.1:{self.metrics_port}")
        text = text.replace(PROGRAM, str(Path(sys.executable).with_name("omni-gateway")))
        return re.sub(
            r"(?<![\w./])/(etc/omni-gateway|var/(?:lib|log)/omni-gateway|backup)\b", rf"{self.folder}/\1", text
        )


class Operator:
    """Who reads a page at a host's shell."""

    def __init__(self, host: Host, shell: Shell) -> None:
        self.host, self._shell = host, shell

    def run(self, block: str) -> str:
        """Run lines as a page has them, and return what they print."""
        return self._shell.run(self.host.here(block))

    def walk(self, text: str) -> None:
        """Follow a text of a page."""
        self._shell.walk(self.host.here(text))


@contextmanager
def operator(host: Host, **environ: str) -> Iterator[Operator]:
    """Open a shell with the functions of the runbooks, and `systemctl`; at its end the gateway ends."""
    [functions] = re.findall(r"^```sh\n(.*?)^```$", section(RUNBOOKS, "Before you begin"), flags=re.M | re.S)
    # A busy machine may be answered 503 (retryable), which a page need not say at each command.
    (host.folder / ".curlrc").write_text("retry = 20\n")
    with bash(host.folder, **environ, CURL_HOME=str(host.folder)) as shell:
        reader = Operator(host, shell)
        reader.run(functions + SYSTEMCTL)
        yield reader
