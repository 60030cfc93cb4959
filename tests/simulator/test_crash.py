"""kill -9 at any moment, start again: every acknowledged write is there, none twice, none torn.

``SIMULATOR_KILLS`` says how often (``make crash-test``: 120 times).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from omni_gateway.simulator.identity.accounts import full_id
from omni_gateway.simulator.identity.keys import generate
from omni_gateway.stubs import management_pb2
from tests.simulator.caller import Caller
from tests.simulator.service_calls import management

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("SIMULATOR_KILLS", "12"))
SEED = int(os.environ.get("SIMULATOR_KILL_SEED", "1"))
WRITERS = 3
IDS_OF_A_WRITER = 6
#: Every so manieth life ends before it serves.
EARLY = 6
LONGEST_LIFE_SECONDS = 0.25
START_SECONDS = 60.0

State = tuple[int, str] | None
"""Version and data of an object, None when it is not there."""


class Life:
    """One process of the simulator over a database that outlives it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ready = directory / "ready"
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "omni_gateway.simulator", "--listen", "127.0.0.1:0", "--fleet", "3"]
        command += ["--db", str(directory / "db"), "--key-file", str(directory / "key"), "--speed", "60"]
        command += ["--ready-file", str(self._ready), "--log-level", "warning"]
        with (directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    @contextmanager
    def admin(self) -> Iterator[Caller]:
        """Wait until it serves, and call it as its admin."""
        deadline = time.monotonic() + START_SECONDS
        while not self._ready.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self._directory / "log").read_text())
            time.sleep(0.005)
        with grpc.insecure_channel(self._ready.read_text().strip()) as channel:
            yield Caller(channel, (self._directory / "key").read_text().strip())


class Writer:
    """Creates, changes and removes objects of its own one after the other, and remembers what was acknowledged.

    ``maybe`` is what the write under way when the process died may have made of its object.
    """

    def __init__(self, number: int) -> None:
        self._draw = random.Random(f"{SEED}-{number}")
        self._number = number
        self._count = 0
        self.acknowledged = 0
        self.known: dict[str, State] = {f"crash-{number}-{i}": None for i in range(IDS_OF_A_WRITER)}
        self.maybe: dict[str, list[State]] = {}
        self.accounts: dict[str, str] = {}
        self.maybe_accounts: dict[str, str] = {}

    def write_until_it_dies(self, admin: Caller) -> None:
        """Write until a call fails, as it does when the process is killed under it."""
        try:
            while True:
                self._write(admin)
                self.acknowledged += 1
        except grpc.RpcError as error:
            lost = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
            assert error.code() in lost, error

    def _write(self, admin: Caller) -> None:
        self._count += 1
        if self._count % 12 == 0:
            self._make_account(admin)
            return
        id = self._draw.choice(sorted(self.known))
        before = self.known[id]
        data = f"machine: {{sysctls: {{a: '{self._count}'}}}}"
        if before is None:
            self.maybe = {id: [None, (1, data)]}
            admin.create("ConfigPatches", id, {"data": data})
            self.known[id] = (1, data)
        elif self._draw.random() < 0.7:
            version, _ = before
            self.maybe = {id: [before, (version + 1, data)]}
            metadata = {"namespace": "default", "type": "ConfigPatches", "id": id, "version": version}
            admin.update({"metadata": metadata, "spec": {"data": data}})
            self.known[id] = (version + 1, data)
        else:
            self.maybe = {id: [before, None]}  # one that was marked for its end by then goes on to it
            _delete(admin, id)
            self.known[id] = None
        self.maybe = {}

    def _make_account(self, admin: Caller) -> None:
        name = f"crash-{self._number}-{self._count}"
        public = generate(name, full_id(name)).public
        self.maybe_accounts = {name: public}
        request = management_pb2.CreateServiceAccountRequest(armored_pgp_public_key=public, role="Reader", name=name)
        self.accounts[name] = management(admin, "CreateServiceAccount", request).public_key_id
        self.maybe_accounts = {}

    def compare(self, found: dict[str, State], accounts: dict[str, list[str]]) -> None:
        """Hold what is there against what was acknowledged, and go on from it."""
        for id, expected in self.known.items():
            allowed = self.maybe.get(id, [expected])
            assert found.get(id) in allowed, f"{id}: {found.get(id)} is none of {allowed}"
            self.known[id] = found.get(id)
        for name, key in self.accounts.items():
            assert accounts.get(name) == [key], f"the account {name} has {accounts.get(name)}, not {key}"
        for name in self.maybe_accounts:
            assert len(accounts.get(name, ["one"])) == 1, f"the account {name} is torn"
            if name in accounts:
                self.accounts[name] = accounts[name][0]
        self.maybe, self.maybe_accounts = {}, {}


def _delete(admin: Caller, id: str) -> None:
    """Remove a patch. Who removes it in between wins the race, and the caller is told that there is none."""
    try:
        admin.delete("ConfigPatches", id)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise


def read(admin: Caller) -> tuple[dict[str, State], dict[str, list[str]]]:
    """Return the patches, once what was marked for its end is gone, and the accounts with their keys."""
    patches: list[dict[str, Any]] = []
    deadline = time.monotonic() + START_SECONDS
    while not patches or any(item["metadata"]["phase"] != "running" for item in patches):
        assert time.monotonic() < deadline, patches
        patches, total = admin.list("ConfigPatches", search_for=["crash-"])
        if total == 0:
            break
    found: dict[str, State] = {
        item["metadata"]["id"]: (item["metadata"]["version"], item["spec"]["data"]) for item in patches
    }
    assert len(found) == len(patches)
    listed = management(admin, "ListServiceAccounts").service_accounts
    accounts = {account.name: [key.id for key in account.pgp_public_keys] for account in listed}
    return found, accounts


def no_torn_account(admin: Caller) -> None:
    """Every identity has its user, and every user its identity."""
    identities = admin.list("Identities")[0]
    assert sorted(item["spec"]["user_id"] for item in identities) == admin.ids("Users")


@pytest.mark.timeout(60 + 10 * KILLS)
def test_whatever_was_acknowledged_is_there_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    writers = [Writer(number) for number in range(WRITERS)]
    for number in range(KILLS):
        life = Life(tmp_path)
        try:
            if number % EARLY == EARLY - 1:
                time.sleep(draw.uniform(0, 0.4))
                continue
            with life.admin() as admin, ThreadPoolExecutor(WRITERS) as pool:
                _compare(admin, writers)
                writing = [pool.submit(writer.write_until_it_dies, admin) for writer in writers]
                time.sleep(draw.uniform(0, LONGEST_LIFE_SECONDS))
                life.kill()
                for writer in writing:
                    writer.result(30)
        finally:
            life.kill()

    life = Life(tmp_path)
    try:
        with life.admin() as admin:
            _compare(admin, writers)
            assert len(admin.ids("MachineStatuses")) == 3
    finally:
        life.kill()
    assert sum(writer.acknowledged for writer in writers) > KILLS


def _compare(admin: Caller, writers: list[Writer]) -> None:
    found, accounts = read(admin)
    for writer in writers:
        writer.compare(found, accounts)
    no_torn_account(admin)
