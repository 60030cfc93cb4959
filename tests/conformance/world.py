"""The Omni under test as the cases use it: callers of every role, names of their own, and an end to all they make."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import grpc
import pytest

from omni_gateway.omni import key_pairs
from omni_gateway.stubs import management_pb2 as management
from omni_gateway.stubs import resources_pb2_grpc
from tests.conformance import cosi_state
from tests.conformance.outcomes import Divergence
from tests.conformance.versions import Versions, numbers
from tests.fitting import fitting
from tests.simulator.caller import LABEL, Caller, Signer, full
from tests.simulator.service_calls import management as call_management

FINALIZER = "conformance-test"
PATCH = 'machine:\n  sysctls:\n    net.core.somaxconn: "{}"\n'
LOCKS = ("locked", "cluster-locked", "cluster-import-is-in-progress")
ROLES = ("None", "InfraProvider", "Reader", "Auditor", "Operator", "Admin")
ROLE_SINCE = {"Auditor": "1.10"}
GONE_SECONDS = 60.0
CLEANERS = 16

Key = tuple[str, str, str]


class Account(Caller):
    """A caller whose objects are remembered, so that they can be removed whatever becomes of the test."""

    def __init__(self, channel: grpc.Channel, signer: Signer | None, made: list[Key]) -> None:
        self.signer, self.channel = signer, channel
        self.stub = resources_pb2_grpc.ResourceServiceStub(channel)
        self._made = made

    def create(self, type_: str, id_: str, spec: Any = None, **metadata: Any) -> None:
        key = (metadata.get("namespace", "default"), full(type_), id_)
        self._made.append(key)
        try:
            super().create(type_, id_, spec, **metadata)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE):
                self._made.remove(key)
            raise

    def change(self, type_: str, id_: str, **spec: Any) -> None:
        again(lambda: Caller.change(self, type_, id_, **spec))


def again(write: Callable[[], object]) -> None:
    """Write until nobody else has written in between: to ``undefined``, too, Omni reads a version first."""
    for _ in range(10):
        try:
            write()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        else:
            return
    write()


@dataclass
class Server:
    """One Omni, and accounts of it that were made for this session."""

    channel: grpc.Channel = field(repr=False)
    admin_key: str = field(repr=False)
    simulated: bool
    open_unlimited: Callable[[], grpc.Channel] = field(repr=False)
    prefix: str = field(default_factory=lambda: f"conf-{secrets.token_hex(3)}")
    signers: dict[str, Signer | None] = field(default_factory=dict, repr=False)
    accounts: list[str] = field(default_factory=list)
    leftovers: list[list[Key]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count, repr=False)

    def __post_init__(self) -> None:
        self.signers |= {"anonymous": None, "admin": Signer(self.admin_key)}

    def name(self) -> str:
        """Return a name that no other object has."""
        return f"{self.prefix}-{next(self._numbers)}"

    @cached_property
    def admin(self) -> Caller:
        return Caller(self.channel, self.admin_key)

    def signer(self, role: str) -> Signer | None:
        """Return what signs for an account of a role, made on first use."""
        if role not in self.signers:
            self.signers[role] = Signer(self.new_account(role)[1])
        return self.signers[role]

    def new_account(self, role: str, life: timedelta = key_pairs.DEFAULT_LIFE) -> tuple[str, str]:
        """Make a service account; return its name and its key."""
        name = f"{'infra-provider:' if role == 'InfraProvider' else ''}{self.name()}"
        pair = key_pairs.make(name.rpartition(":")[2], f"{name.rpartition(':')[2]}@example.org", life)
        request = management.CreateServiceAccountRequest(name=name, role=role, armored_pgp_public_key=pair.public)
        try:
            call_management(self.admin, "CreateServiceAccount", request)
        except grpc.RpcError as error:
            if role == "Auditor" and not self.is_at_least(ROLE_SINCE[role]):
                pytest.skip(f"the role {role} is Omni {ROLE_SINCE[role]}'s, this is {self.backend}")
            raise error
        self.accounts.append(name)
        return name, pair.value

    @cached_property
    def backend(self) -> str:
        """The version that this Omni says it is."""
        found = self.admin.get("SysVersions.system.sidero.dev", "current", "ephemeral")
        return str(found["spec"].get("backend_version", "unknown"))

    @property
    def patience(self) -> float:
        """How many seconds the end of one object may take."""
        return 10.0 if self.simulated else GONE_SECONDS

    def is_at_least(self, version: str) -> bool:
        """Whether this Omni is of a release, a pre-release of it included; the simulator counts as the newest."""
        return self.simulated or numbers(self.backend) >= numbers(version)

    @cached_property
    def versions(self) -> Versions:
        known = {
            item["metadata"]["id"]: frozenset(item["spec"].get("compatible_kubernetes_versions", ()))
            for item in self.admin.list("TalosVersions")[0]
            if not item["spec"].get("deprecated") and not item["spec"].get("unsupported")
        }
        releases = {talos: runs for talos, runs in known.items() if "-" not in talos and runs}
        return Versions(releases, frozenset(self.admin.ids("KubernetesVersions")))

    @cached_property
    def features(self) -> dict[str, Any]:
        return dict(self.admin.get("FeaturesConfigs", "features-config")["spec"])

    def join_token(self) -> str:
        """Make a join token; its id is the secret."""
        request = management.CreateJoinTokenRequest(name=f"c-{secrets.token_hex(4)}")
        return str(call_management(self.admin, "CreateJoinToken", request).id)

    def release(self, namespace: str, type_: str, id_: str) -> None:
        """Let go of an object that a test has held by a finalizer; what depends on it can end then, too."""
        if not self.simulated:
            signer = self.admin.signer
            assert signer is not None
            cosi_state.release(self.channel, signer, namespace, type_, id_, FINALIZER)

    def unlimited(self, call: Callable[[grpc.Channel], object]) -> None:
        """Call over a channel of its own that sends what it is given, whatever its size."""
        with self.open_unlimited() as channel:
            call(channel)

    def free_machines(self, talos: str = "") -> list[str]:
        """Return the ids of the free machines; of those that can join a cluster of a Talos version, if one is given."""
        listed = self.admin.list("MachineStatuses", f"{LABEL}available,{LABEL}connected")[0]
        return fitting(listed, talos, self.backend) if talos else [str(item["metadata"]["id"]) for item in listed]

    def joinable(self, count: int) -> tuple[dict[str, str], list[str]]:
        """Return versions for a cluster, the newest that so many free machines can join, and these machines."""
        for talos in sorted(self.versions.compatible, key=numbers, reverse=True):
            machines = self.free_machines(talos)
            if len(machines) >= count:
                kubernetes = max(self.versions.compatible[talos], key=numbers)
                return {"talos_version": talos, "kubernetes_version": kubernetes}, machines[:count]
        pytest.skip(f"needs {count} free machines that can join one cluster")

    def close(self) -> None:
        """Remove what is left: objects first, for accounts may be needed for them, then the accounts."""
        with ThreadPoolExecutor(CLEANERS) as pool:
            failures = [name for found in pool.map(self._finish, self.leftovers) for name in found]
        for name in self.accounts:
            request = management.DestroyServiceAccountRequest(name=name)
            with suppress(grpc.RpcError):
                call_management(self.admin, "DestroyServiceAccount", request)
        if failures:
            raise RuntimeError(f"these objects of the suite could not be removed: {', '.join(failures)}")

    def _finish(self, made: list[Key]) -> list[str]:
        """Destroy what a test made, last one first; return what is still there."""
        left = []
        for held in made:
            with suppress(grpc.RpcError):
                self.release(*held)
        for namespace, type_, id_ in made:
            with suppress(grpc.RpcError):
                self.admin.delete(type_, id_, namespace, timeout=self.patience)
            try:
                self.admin.get(type_, id_, namespace)
                left.append(f"{type_}/{id_}")
            except grpc.RpcError:
                pass  # gone, or of a type that nobody may read
        return left


class World:
    """What one test, or one module, sees and makes."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made: list[Key] = []
        self._removals: list[Callable[[], object]] = []
        self._holds = False

    def by(self, role: str) -> Account:
        """Return a caller: a role's, `admin` (the suite's own key) or `anonymous`."""
        return Account(self.server.channel, self.server.signer(role), self._made)

    @cached_property
    def admin(self) -> Account:
        return self.by("admin")

    @property
    def versions(self) -> Versions:
        return self.server.versions

    def name(self) -> str:
        return self.server.name()

    def at_end(self, removal: Callable[[], object]) -> None:
        """Do this at the end, refused or not."""
        self._removals.append(removal)

    # -- objects that most cases begin with

    def cluster(self, spec: dict[str, Any] | None = None, **metadata: Any) -> str:
        """Make a cluster without machines."""
        name = self.name()
        self.admin.create("Clusters", name, self.versions.pair | (spec or {}), **metadata)
        return name

    def settled_cluster(self, spec: dict[str, Any] | None = None, **metadata: Any) -> str:
        """Make a cluster and wait until Omni's controllers have done all that they do to it."""
        name = self.cluster(spec, **metadata)
        self.until(lambda: self.there("ClusterConfigVersions", name) and self.there("ClusterStatuses", name))
        self.at_rest("Clusters", name)
        return name

    def machine_set(self, cluster: str, suffix: str = "workers", spec: dict[str, Any] | None = None) -> str:
        role = "role-controlplane" if suffix == "control-planes" else "role-worker"
        name = f"{cluster}-{suffix}"
        self.admin.create("MachineSets", name, spec, labels={LABEL + "cluster": cluster, LABEL + role: ""})
        return name

    def node(self, cluster: str, machine_set: str, machine: str | None = None, **metadata: Any) -> str:
        name = machine or self.name()
        role = "role-controlplane" if machine_set.endswith("-control-planes") else "role-worker"
        labels = {LABEL + "cluster": cluster, LABEL + "machine-set": machine_set, LABEL + role: ""}
        self.admin.create("MachineSetNodes", name, labels=labels, **metadata)
        return name

    def patch(self, number: int = 4096, **metadata: Any) -> str:
        name = self.name()
        self.admin.create("ConfigPatches", name, {"data": PATCH.format(number)}, **metadata)
        return name

    def hold(self) -> list[str]:
        """Return finalizers for an object that is to stay when it is torn down."""
        self._holds = True
        return [FINALIZER]

    def labels(self, **labels: str) -> str:
        """Make the simplest object there is: no rules, no finalizers."""
        name = self.name()
        self.admin.create("MachineLabels", name, labels=labels)
        return name

    # -- looking

    def there(self, type_: str, id_: str, namespace: str = "default") -> dict[str, Any] | None:
        """Return an object, or None when there is none."""
        try:
            return self.admin.get(type_, id_, namespace)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise

    def gone(self, type_: str, id_: str, namespace: str = "default") -> bool:
        return self.there(type_, id_, namespace) is None

    def until(self, condition: Callable[[], Any], expected: str = "it comes true", seconds: float = 20.0) -> Any:
        """Wait for a condition; a divergence when the deadline passes."""
        deadline = time.monotonic() + seconds
        pause = 0.002
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise Divergence(f"within {seconds:g} s: {expected}", value)
            time.sleep(pause)
            pause = min(2 * pause, 0.25)
        return value

    def at_rest(self, type_: str, id_: str, finalizers: int = 1) -> dict[str, Any]:
        """Wait until an object has its finalizers and its version has stopped moving for a moment; return it."""
        last: list[Any] = [None, 0.0]
        quiet = 0.05 if self.server.simulated else 1.5

        def settled() -> dict[str, Any] | None:
            read = self.admin.get(type_, id_)
            now = time.monotonic()
            if read["metadata"]["version"] != last[0]:
                last[:] = read["metadata"]["version"], now
            enough = len(read["metadata"].get("finalizers", ())) >= finalizers
            return read if enough and now - last[1] > quiet else None

        return dict(self.until(settled, f"{type_} {id_} comes to rest with {finalizers} finalizers"))

    def write(self, type_: str, id_: str, change: Callable[[dict[str, Any]], object], by: Caller | None = None) -> None:
        """Read, change, write back whatever the version is by then."""

        def written() -> None:
            read = self.admin.get(type_, id_)
            change(read)
            (by or self.admin).update(read, version="undefined")

        again(written)

    def annotate(self, type_: str, id_: str, *keys: str) -> None:
        marks = {LABEL + key: "" for key in keys}
        self.write(type_, id_, lambda read: read["metadata"].setdefault("annotations", {}).update(marks))

    # -- the end

    def close(self) -> None:
        """Begin the end of everything that was made; the session waits for it to come."""
        for removal in reversed(self._removals):
            with suppress(grpc.RpcError):
                removal()
        left = [key for key in reversed(list(dict.fromkeys(self._made))) if self._remove(*key)]
        if left and not (self._holds and self.server.simulated):
            self.server.leftovers.append(left)

    def _remove(self, namespace: str, type_: str, id_: str) -> bool:
        """Tear an object down; whether it may still be there."""
        try:
            self._let_go(namespace, type_, id_)
            self.admin.teardown(type_, id_, namespace)
        except grpc.RpcError as error:
            return error.code() is not grpc.StatusCode.NOT_FOUND
        return True

    def _let_go(self, namespace: str, type_: str, id_: str) -> None:
        """Take away what a test has put on an object against its removal: locks and a finalizer."""
        try:
            read = self.admin.get(type_, id_, namespace)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                return
            raise
        meta = read["metadata"]
        locks = [LABEL + lock for lock in LOCKS if LABEL + lock in meta.get("annotations", {})]
        if locks and meta["phase"] == "running":
            unlock = {key: value for key, value in meta.get("annotations", {}).items() if key not in locks}
            self.write(type_, id_, lambda read: read["metadata"].update(annotations=unlock))
        if FINALIZER in meta.get("finalizers", ()):
            self.server.release(namespace, type_, id_)
