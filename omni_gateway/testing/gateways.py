"""Gateways with the plugins under test: one application in this process, and one under gunicorn."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.plugins.discovery import Found, discover
from omni_gateway.rest.service_plugin import ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of
from omni_gateway.testing.document import Document
from omni_gateway.testing.transport import InProcessTransport

API = "/api/v1/"
ROLES = ("reader", "operator", "admin")
#: The worker processes of a gateway under gunicorn.
WORKERS = 2
START_SECONDS = 240.0
STOP_SECONDS = 60.0
#: For clients of ``http://`` URLs: it trusts nobody. By default each client reads the machine's certificate
#: authorities, which takes longer than a request.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
#: The checks call faster, and fail to log in more often, than any caller may.
NO_RATES: Mapping[str, Any] = {"rate_limit": "off", "failed_logins": "off", "failed_logins_in_all": "off"}


class GatewayUnderTest:
    """A gateway, and clients of it: of each role, without a credential, held to some clusters."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url
        self._store = store_of(settings)
        self._store.wait(60)
        self._tokens: dict[tuple[str, tuple[str, ...] | None], str] = {}
        self._clients: dict[tuple[str | None, tuple[str, ...] | None], httpx.Client] = {}

    def token(self, role: str, clusters: Sequence[str] | None = None) -> str:
        """Return the text of a token of a role, held to ``clusters`` (patterns) if given."""
        key = (role, None if clusters is None else tuple(clusters))
        if key not in self._tokens:
            name = "-".join(["kit", role, *(clusters or ())]).replace("*", "x")
            self._tokens[key] = self._store.tokens.create(name, role, None, clusters)[1]
        return self._tokens[key]

    def client(self, role: str | None = "admin", *, clusters: Sequence[str] | None = None) -> httpx.Client:
        """Return a client with a token of ``role``, or without a credential; URLs are relative to ``/api/v1/``."""
        key = (role, None if clusters is None else tuple(clusters))
        if key not in self._clients:
            headers = {"Authorization": f"Bearer {self.token(role, clusters)}"} if role else {}
            self._clients[key] = httpx.Client(base_url=f"{self.url}{API}", headers=headers, **self._options())
        return self._clients[key]

    def _options(self) -> Mapping[str, Any]:
        return {"timeout": 60.0}

    def close(self) -> None:
        """Close the clients and the store."""
        for client in self._clients.values():
            client.close()
        self._store.close()


class InProcessGateway(GatewayUnderTest):
    """The application in this process; each response is held against its OpenAPI document."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        super().__init__("http://gateway", settings)
        self.app = app
        self._transport = InProcessTransport(app)
        with httpx.Client(transport=self._transport, base_url=self.url) as client:
            self.openapi: dict[str, Any] = client.get("/openapi.json").json()
        self.document = Document(self.openapi)

    def _options(self) -> Mapping[str, Any]:
        return {"transport": self._transport, "event_hooks": {"response": [self.document.check]}}


class ServedGateway(GatewayUnderTest):
    """``omni-gateway serve``, with two worker processes."""

    def __init__(self, state_dir: Path, omni: OmniConfig, environ: Mapping[str, str], workers: int) -> None:
        self._log = state_dir / "gateway.log"
        port = _free_port()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")} | {
            "OMNI_ENDPOINT": omni.endpoint,
            "OMNI_SERVICE_ACCOUNT_KEY": omni.service_account_key,
            "OMNI_GATEWAY_STATE_DIR": str(state_dir),
            "OMNI_GATEWAY_WORKERS": str(workers),
            "OMNI_GATEWAY_AUTH": "token",
            "OMNI_GATEWAY_DRAIN": "0",
            **{f"OMNI_GATEWAY_{name.upper()}": value for name, value in NO_RATES.items()},
            **environ,
        }
        self._command = [sys.executable, "-m", "omni_gateway.cli", "serve", "--bind", f"127.0.0.1:{port}"]
        super().__init__(f"http://127.0.0.1:{port}", replace(Settings.load(self._environ), bootstrap_token=""))
        self._process = self._start()

    def _options(self) -> Mapping[str, Any]:
        # A new connection for each request, so that all workers are asked.
        return {"timeout": 60.0, "limits": httpx.Limits(max_keepalive_connections=0), "verify": NO_TLS}

    def restart(self) -> None:
        """Stop the gateway and start it again with the same settings and store."""
        self._stop()
        self._process = self._start()

    def close(self) -> None:
        """Stop the gateway."""
        super().close()
        self._stop()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, env=self._environ, stdout=log, stderr=log)  # noqa: S603
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{self.url}/livez", timeout=2, verify=NO_TLS).status_code == 200:
                    return process
            except httpx.TransportError:
                time.sleep(0.05)
        process.kill()
        raise RuntimeError(f"the gateway did not start:\n{self._log.read_text()}")

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)


class Gateways:
    """The gateways of a test run, made at first use: the plugins under test, and all that are installed."""

    def __init__(self, plugins: Sequence[ServicePlugin], omni: OmniConfig, folder: Path) -> None:
        self._omni = omni
        self._folder = folder
        self._installed = discover(skip_broken=True)
        self._groups = _without_clashes(plugins, self._installed)
        self._in_process: dict[int, InProcessGateway] = {}
        self._served: dict[int, ServedGateway] = {}

    def in_process(self, plugin: ServicePlugin | None = None) -> InProcessGateway:
        """Return the application that has a plugin; without one, the first."""
        number = self._number(plugin)
        if number not in self._in_process:
            self._in_process[number] = self._assemble(number)
        return self._in_process[number]

    def served(self, plugin: ServicePlugin | None = None) -> ServedGateway:
        """Return the gateway under gunicorn that has a plugin; without one, the first."""
        number = self._number(plugin)
        if number not in self._served:
            state = self._new_folder(f"served-{number}")
            path = os.pathsep.join([str(self._distribution(number)), *sys.path])
            self._served[number] = ServedGateway(state, self._omni, {"PYTHONPATH": path}, WORKERS)
        return self._served[number]

    def close(self) -> None:
        """Stop them all."""
        for gateway in (*self._in_process.values(), *self._served.values()):
            gateway.close()

    def _number(self, plugin: ServicePlugin | None) -> int:
        if plugin is None:
            return 0
        return next((number for number, group in enumerate(self._groups) if any(plugin is each for each in group)), 0)

    def _assemble(self, number: int) -> InProcessGateway:
        state = self._new_folder(f"state-{number}")
        settings = Settings(
            omni=self._omni,
            state_dir=state,
            auth=("token", "omni-key"),
            audit_file=state / "audit.log",
            environ=os.environ,  # the settings of plugins
            **NO_RATES,
        )
        group = self._groups[number]
        found = [*self._installed, *map(_found, group, targets_of(group))]
        return InProcessGateway(create_app(settings, plugins=found), settings)

    def _distribution(self, number: int) -> Path:
        """Return a folder for the module path in which the group's plugins are installed, as far as entry points go."""
        site = self._new_folder(f"site-{number}")
        group = self._groups[number]
        points = [
            f"{plugin.name.replace('/', '-')} = {target}"
            for plugin, target in zip(group, targets_of(group), strict=True)
        ]
        if points:
            metadata = site / "plugins_under_test-0.dist-info"
            metadata.mkdir()
            (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins-under-test\nVersion: 0\n")
            (metadata / "entry_points.txt").write_text("\n".join(["[omni_gateway.resources]", *points, ""]))
        return site

    def _new_folder(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder


def _found(plugin: ServicePlugin, target: str) -> Found:
    return Found(plugin.name, target, "plugins-under-test", "0", "loaded", plugin)


def targets_of(plugins: Sequence[ServicePlugin]) -> Sequence[str]:
    """Return ``module:name`` of each plugin object. Raises ``LookupError`` if no imported module has one by a name."""
    wanted, found = {id(plugin) for plugin in plugins}, dict[int, str]()
    # Modules that are imported first come first: the one that makes the plugin, not the test that imports it.
    for module_name, module in list(sys.modules.items()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in wanted and module_name != "__main__":
                found.setdefault(id(value), f"{module_name}:{name}")
    for plugin in plugins:
        if id(plugin) not in found:
            raise LookupError(
                f"plugin {plugin.name!r} is not an attribute of a module; a server cannot load it by name"
            )
    return [found[id(plugin)] for plugin in plugins]


def _without_clashes(plugins: Sequence[ServicePlugin], installed: Sequence[Found]) -> list[list[ServicePlugin]]:
    """Return groups of plugins without two of one name; installed ones, which are in every gateway, are left out."""
    present = [each.plugin for each in installed if each.plugin is not None]
    groups: list[list[ServicePlugin]] = [[]]
    for plugin in plugins:
        if any(plugin is each for each in (*present, *(each for group in groups for each in group))):
            continue
        names = [{each.name for each in group} for group in groups]
        free = next((number for number, taken in enumerate(names) if plugin.name not in taken), None)
        if free is None:
            groups.append([plugin])
        else:
            groups[free].append(plugin)
    return groups


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
