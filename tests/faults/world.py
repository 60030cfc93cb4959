"""What runs: a simulator, PostgreSQL and Redis, each behind a proxy; two gateways, over PostgreSQL and over SQLite."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from omni_gateway import embedded
from tests.e2e.conftest import Served, start_gateway, stop_gateway
from tests.faults.slow_proxy import SlowProxy
from tests.services.conftest import Redis
from tests.services.postgres import PostgreSQL, binaries, running_postgresql

FLEET = 12
TOKEN = "faults-" + "b" * 40
OMNI_SECONDS = 4.0
STORE_SECONDS = 2.0
SOCKET = ".s.PGSQL.5432"


class Omni:
    """A simulator in a process of its own, whose state outlives it, on one port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = embedded.start(folder, fleet=FLEET)
        self.key = self._running.key
        self.address = self._running.endpoint.removeprefix("http://")
        self.port = int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        """End it as a crash does."""
        self._running.process.kill()
        self._running.process.wait(30)

    def start(self) -> None:
        """Start it again."""
        self._running = embedded.start(self._folder, fleet=FLEET, listen=self.address)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self._running.process.pid, number)

    def stop(self) -> None:
        """End it for good."""
        with suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
        self._running.stop()


@dataclass
class World:
    """Everything that can fail, and what is asked meanwhile."""

    omni: Omni
    postgresql: PostgreSQL
    redis: Redis
    #: Where the second gateway's SQLite file is; ``full`` when that is a file system of its own.
    folder: Path
    can_be_full: bool
    slow: dict[str, SlowProxy] = field(default_factory=dict)
    gateways: dict[str, Served] = field(default_factory=dict)


@contextmanager
def running_world() -> Iterator[World]:
    """Start all of it; end all of it."""
    programs = binaries()
    if programs is None or shutil.which("redis-server") is None:
        raise SystemExit("PostgreSQL or Redis is missing: `make services` installs them")
    with ExitStack() as stack:
        folder = Path(mkdtemp(prefix="faults-", dir="/tmp"))  # a socket's path has at most 107 bytes
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "omni").mkdir()
        omni = Omni(folder / "omni")
        stack.callback(omni.stop)
        postgresql = stack.enter_context(running_postgresql(programs))
        redis = Redis(folder)
        redis.start()
        stack.callback(redis.stop)
        disk, can_be_full = _disk(stack, folder / "disk")
        world = World(omni, postgresql, redis, disk, can_be_full)
        _start_proxies(world, folder, stack)
        postgresql.create("gateway")
        stores = {
            "PostgreSQL": f"postgresql+psycopg://gateway@/gateway?host={folder / 'sockets'}",
            "SQLite": f"sqlite:///{disk / 'gateway.sqlite'}",
        }
        for name, url in stores.items():
            state = folder / name
            state.mkdir()
            world.gateways[name] = start_gateway(state, _settings(world, url), [])
            stack.callback(stop_gateway, world.gateways[name])
        yield world


def _start_proxies(world: World, folder: Path, stack: ExitStack) -> None:
    (folder / "sockets").mkdir(mode=0o755)
    folder.chmod(0o755)
    world.slow["Omni"] = SlowProxy(world.omni.port)
    world.slow["Redis"] = SlowProxy(world.redis.port)
    world.slow["PostgreSQL"] = SlowProxy(world.postgresql.folder / SOCKET, folder / "sockets" / SOCKET)
    for proxy in world.slow.values():
        stack.callback(proxy.close)


def _settings(world: World, store_url: str) -> dict[str, str]:
    return {
        "OMNI_ENDPOINT": f"http://127.0.0.1:{world.slow['Omni'].port}",
        "OMNI_SERVICE_ACCOUNT_KEY": world.omni.key,
        "OMNI_GATEWAY_OMNI_TIMEOUT": str(OMNI_SECONDS),
        "OMNI_GATEWAY_STORE_URL": store_url,
        "OMNI_GATEWAY_STORE_TIMEOUT": str(STORE_SECONDS),
        "OMNI_GATEWAY_BOOTSTRAP_TOKEN": TOKEN,
        "OMNI_GATEWAY_REDIS_URL": f"redis://127.0.0.1:{world.slow['Redis'].port}/0",
        "OMNI_GATEWAY_RATE_LIMIT": "100000/minute",
        # The server notices at the next beat only that a probe has closed its stream.
        "OMNI_GATEWAY_THREADS": "32",
        "OMNI_GATEWAY_MAX_STREAMS": "28",
        "OMNI_GATEWAY_MAX_STREAMS_PER_CALLER": "28",
    }


def _disk(stack: ExitStack, folder: Path) -> tuple[Path, bool]:
    """Make a small file system that can be filled up; where that takes rights that are not there, a plain folder."""
    folder.mkdir()
    mount: Callable[..., subprocess.CompletedProcess[bytes]] = subprocess.run
    if os.geteuid() != 0 or mount(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]).returncode != 0:
        return folder, False
    stack.callback(mount, ["umount", "--lazy", str(folder)])
    return folder, True
