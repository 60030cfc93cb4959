"""The installation and the security checklist: each command prints what its page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.proxy import certificate
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from tests.deploy.host import FOLDER, Host, needs_openssl, operator

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]

INSTALL, CHECKLIST = FOLDER / "install.md", FOLDER / "security-checklist.md"

#: What the page leaves at its default; a busy machine takes its time.
OWN = "OMNI_GATEWAY_WORKERS=1\nOMNI_GATEWAY_STORE_TIMEOUT=60\nOMNI_GATEWAY_OMNI_TIMEOUT=60\n"


@pytest.fixture(scope="module")
def omni() -> Iterator[RunningSimulator]:
    with running_simulator(fleet=2, speed=60) as simulator:
        yield simulator


def test_a_gateway_is_installed_as_the_page_says(omni: RunningSimulator, tmp_path: Path) -> None:
    host = Host(tmp_path, omni, {})
    text = INSTALL.read_text()
    [settings] = re.findall(r"^```ini\n(.*?)^```$", text, flags=re.M | re.S)
    lines = host.here(settings).replace("https://omni.example.com", omni.endpoint)
    (host.etc / "environment").write_text(lines + OWN)
    with operator(host) as reader:
        reader.walk(text)


@needs_openssl
def test_a_gateway_that_is_set_up_so_passes_the_checklist(omni: RunningSimulator, tmp_path: Path) -> None:
    settings = {
        "OMNI_GATEWAY_AUTH": "token",
        "OMNI_GATEWAY_ALLOWED_HOSTS": "127.0.0.1",
        "OMNI_GATEWAY_TLS_CERT_FILE": "/etc/omni-gateway/tls.crt",
        "OMNI_GATEWAY_TLS_KEY_FILE": "/etc/omni-gateway/tls.key",
        "OMNI_GATEWAY_METRICS_BIND": "127.0.0.1:9090",
    }
    host = Host(tmp_path, omni, {})
    with (host.etc / "environment").open("a") as environment:
        environment.write(host.here("".join(f"{name}={value}\n" for name, value in settings.items())))
    certificate(host.etc, days=30)
    text = CHECKLIST.read_text()
    [functions, _] = re.findall(r"^ *```sh\n(.*?)^ *```$", text, flags=re.M | re.S)
    with operator(host) as reader:
        reader.run(functions + "systemctl start omni-gateway")
        reader.run("TOKEN=$(omni-gateway token create me --role admin)")
        reader.run("CI=$(omni-gateway token create staging --cluster 'staging-*')")
        reader.walk(text)
