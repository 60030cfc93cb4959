"""How much code one request runs: calls of the product's functions, modules that they are in, calls to Omni.

``python -m benchmarks.request_calls`` prints a table. The application and the simulator run in this process; only the
thread that serves the request is counted. The numbers are exact and the same on every machine, so that a change of
them tells of the code and of nothing else.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient

import omni_gateway
import resources
from omni_gateway.app import create_app
from omni_gateway.cache.client import CachingClient
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import running_simulator
from omni_gateway.store import Store

_PACKAGE = Path(omni_gateway.__file__).parent
_PRODUCT = (f"{_PACKAGE}/", f"{Path(resources.__file__).parent}/")
#: The Omni of this process, and generated code.
_NOT_PRODUCT = (f"{_PACKAGE}/simulator/", f"{_PACKAGE}/stubs/")
#: Requests of one kind before the one that is counted: what is made once per process has been made then.
WARM_UP = 5
CACHE_SECONDS = 10.0


@dataclass
class Count:
    """What one request ran."""

    calls: int = 0
    modules: set[str] = field(default_factory=set)
    omni: list[str] = field(default_factory=list)


@contextmanager
def counted(client: CachingClient) -> Iterator[Count]:
    """Count what this thread runs meanwhile."""
    count = Count()
    here = threading.get_ident()

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(_PRODUCT) and not name.startswith(_NOT_PRODUCT):
            count.calls += 1
            count.modules.add(name)

    def on_omni(method: str, code: str, seconds: float | None) -> None:
        if threading.get_ident() == here and seconds is not None:
            count.omni.append(method.rpartition("/")[2])

    client.observe_calls(on_omni)
    sys.setprofile(on_event)
    try:
        yield count
    finally:
        sys.setprofile(None)
        client.observe_calls(lambda *_: None)


def main() -> None:
    """Print the table."""
    with running_simulator(fleet=8, db=None) as simulator, tempfile.TemporaryDirectory() as state:
        config = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        settings = Settings(omni=config, state_dir=Path(state), rate_limit="off")
        app = create_app(settings)
        token = Store(settings.database_url).tokens.create("benchmark", "admin", None)[1]
        caller = app.test_client()
        caller.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        print(f"{'request':<44}{'calls':>7}{'modules':>9}  calls to Omni")
        for name, send in _requests(caller):
            _print(name, _measured(app, send))


def _requests(caller: FlaskClient) -> Iterator[tuple[str, Callable[[], Any]]]:
    path = "/api/v1/configpatches/counted"
    data = 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n'
    caller.post("/api/v1/configpatches", json={"id": "counted", "data": data})
    _wait_for_cache(caller, path)
    yield "GET, repeated", lambda: caller.get(path)
    pages = iter(range(1_000))
    # Another query string each time: the objects are in the cache, the response is not.
    yield "GET from the cache", lambda: caller.get(path, query_string={"fields": f"id,labels.l{next(pages)}"})
    yield "GET, cold (Cache-Control: no-cache)", lambda: caller.get(path, headers={"Cache-Control": "no-cache"})
    machine = cast(Any, caller.get("/api/v1/machines?page_size=1").json)[0]["id"]
    values = iter(range(1_000))
    yield (
        "PATCH of one label of a free machine",
        lambda: caller.patch(f"/api/v1/machines/{machine}", json={"labels": {"counted": str(next(values))}}),
    )


def _wait_for_cache(caller: FlaskClient, path: str) -> None:
    deadline = time.monotonic() + CACHE_SECONDS
    while "hit" not in caller.get(path).headers["Cache-Status"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the type is not cached")


def _measured(app: Flask, send: Callable[[], Any]) -> Count:
    for _ in range(WARM_UP):
        send()
    with counted(app.extensions["omni_gateway"].own_omni) as count:
        answer = send()
    if answer.status_code >= 300:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return count


def _print(name: str, count: Count) -> None:
    print(f"{name:<44}{count.calls:>7}{len(count.modules):>9}  {len(count.omni)} {' '.join(count.omni)}")


if __name__ == "__main__":
    main()
