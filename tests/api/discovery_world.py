"""Two clusters whose names are the same to Ansible, machines with labels, and callers who may read one or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.store import Store

from .conftest import NO_RATES, Caller

MINE, THEIRS = "team-a", "team_a"
#: Read past the cache, which learns of what the test has written a moment later.
NOW = {"Cache-Control": "no-cache"}


@dataclass
class World:
    """``admin`` and ``reader`` may read all, ``held`` what belongs to ``MINE`` or to no cluster."""

    admin: Caller
    reader: Caller
    held: Caller
    #: Of ``MINE``: a control plane and a worker; of ``THEIRS`` a control plane.
    control_plane: str
    worker: str
    theirs: str
    free: list[str]

    def machine(self, id: str) -> Any:
        return self.admin.get(f"machines/{id}", headers=NOW).json

    def label(self, id: str, **labels: str) -> None:
        assert self.admin.patch(f"machines/{id}", json={"labels": labels}).status_code == 200


def callers(simulator: RunningSimulator, state_dir: Path) -> tuple[Caller, Caller, Caller]:
    """Return an admin, a reader, and a reader who may read ``MINE`` only, of a gateway before a simulator."""
    omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
    settings = Settings(omni=omni, state_dir=state_dir, **NO_RATES)
    app = create_app(settings)
    tokens = Store(settings.database_url).tokens
    admin, reader, held = (
        Caller(app.test_client(), tokens.create(name, role, None, clusters)[1])
        for name, role, clusters in (("a", "admin", None), ("r", "reader", None), ("h", "reader", [MINE]))
    )
    return admin, reader, held


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on loopback; yields its address and port."""
    with running(make_server("127.0.0.1", 0, app, threaded=True)) as address:
        yield address


@contextmanager
def running(server: HTTPServer) -> Iterator[str]:
    """Run a server on loopback in a thread of its own; yields its address and port."""
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def discovery_world(state_dir: Path, wait_until: Callable[..., Any]) -> Iterator[World]:
    """Start a gateway before an Omni with both clusters up."""
    with running_simulator(fleet=6, speed=60, db=None) as simulator:
        admin, reader, held = callers(simulator, state_dir)
        available = admin.get("machines?label_selector=omni.sidero.dev/available", headers=NOW).json
        ids = [machine["id"] for machine in available]
        mine = {
            "id": MINE,
            "labels": {"env": "prod"},
            "control_plane": {"machines": ids[:1]},
            "workers": [{"machines": ids[1:2]}],
        }
        for body in (mine, {"id": THEIRS, "control_plane": {"machines": ids[2:3]}}):
            assert admin.post("clusters", json=body).status_code == 201
        for name in (MINE, THEIRS):
            wait_until(
                lambda name=name: admin.get(f"operations/cluster-create/{name}", headers=NOW).json["done"], 60, name
            )
            wait_until(lambda name=name: admin.get(f"clusters/{name}/status", headers=NOW).json["ready"], 60, name)
        yield World(admin, reader, held, ids[0], ids[1], ids[2], ids[3:])
