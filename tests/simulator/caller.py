"""A caller of the simulator that knows the wire only: raw gRPC, signed by hand, so that it can also sign badly."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import orjson
import pysequoia

from omni_gateway.stubs import cosi_resource_pb2 as cosi
from omni_gateway.stubs import resources_pb2 as pb
from omni_gateway.stubs import resources_pb2_grpc as pb_grpc

OMNI = ".omni.sidero.dev"
LABEL = "omni.sidero.dev/"
SIGNED = ("x-sidero-timestamp", "nodes", "selectors", "runtime", "context", "cluster", "namespace", "uid")
DEADLINE = 20.0

Metadata = list[tuple[str, str]]


class Signer:
    """Signs with the value of a service account's key."""

    def __init__(self, key: str) -> None:
        value = json.loads(base64.b64decode(key))
        self.name: str = value["name"]
        self._secret = pysequoia.Tsk.from_bytes(value["pgp_key"].encode())
        self.fingerprint: str = self._secret.extract_certificate().fingerprint

    def metadata(self, method: str, sent: Metadata, at: float | None = None) -> Metadata:
        """Return what is sent, with timestamp, payload and signature."""
        sent = [*sent, ("x-sidero-timestamp", str(int(time.time() if at is None else at)))]
        headers = {key: values for key in SIGNED if (values := [v for k, v in sent if k == key])}
        return [*sent, *self.signature(json.dumps({"headers": headers, "method": method}))]

    def signature(self, payload: str, **changed: str) -> Metadata:
        """Return payload and signature; the parts of the header can be changed."""
        raw = pysequoia.sign(
            self._secret.signer(), payload.encode(), mode=pysequoia.SignatureMode.DETACHED, armor=False
        )
        parts = {
            "version": "siderov1",
            "identity": self.name,
            "fingerprint": self.fingerprint,
            "signature": base64.b64encode(raw).decode(),
        }
        header = " ".join((parts | changed).values())
        return [("x-sidero-payload", payload), ("x-sidero-signature", header)]


def never_made(type_: str, id_: str) -> dict[str, Any]:
    """Return an object as if it had been read, though there is none."""
    return {"metadata": {"namespace": "default", "type": full(type_), "id": id_, "version": 1}, "spec": {}}


class Caller:
    """ResourceService as one account; types without a dot are Omni's own."""

    def __init__(self, channel: grpc.Channel, key: str | None) -> None:
        self.signer = Signer(key) if key else None
        self.channel = channel
        self.stub = pb_grpc.ResourceServiceStub(channel)

    def metadata(self, name: str, *extra: tuple[str, str], service: str = "omni.resources.ResourceService") -> Metadata:
        """Return a call's metadata, signed if this caller signs."""
        sent = [("runtime", "Omni"), *extra] if service.endswith("ResourceService") else list(extra)
        return self.signer.metadata(f"/{service}/{name}", sent) if self.signer else sent

    def get(self, type_: str, id_: str, namespace: str = "default") -> dict[str, Any]:
        request = pb.GetRequest(namespace=namespace, type=full(type_), id=id_)
        answer = self.stub.Get(request, metadata=self.metadata("Get"), timeout=DEADLINE)
        return dict(orjson.loads(answer.body))

    def list(self, type_: str, *selectors: str, namespace: str = "default", **page: Any) -> tuple[list[Any], int]:
        """Return the objects and the total."""
        request = pb.ListRequest(namespace=namespace, type=full(type_), **page)
        metadata = self.metadata("List", *(("selectors", selector) for selector in selectors))
        answer = self.stub.List(request, metadata=metadata, timeout=DEADLINE)
        return [orjson.loads(item) for item in answer.items], answer.total

    def ids(self, type_: str, *selectors: str, **options: Any) -> list[str]:
        """Return the ids of a list."""
        return [item["metadata"]["id"] for item in self.list(type_, *selectors, **options)[0]]

    def create(self, type_: str, id_: str, spec: Any = None, **metadata: Any) -> None:
        given = {"namespace": "default", "version": "1", **metadata}
        resource = pb.Resource(metadata=cosi.Metadata(type=full(type_), id=id_, **given), spec=text(spec))
        self.stub.Create(pb.CreateRequest(resource=resource), metadata=self.metadata("Create"), timeout=DEADLINE)

    def update(self, read: dict[str, Any], version: str | None = None) -> None:
        """Send back what was read, changed or not."""
        meta = read["metadata"]
        kept = {name: meta[name] for name in ("labels", "annotations", "finalizers") if name in meta}
        metadata = cosi.Metadata(
            namespace=meta["namespace"],
            type=full(meta["type"]),
            id=meta["id"],
            version=str(meta["version"]) if version is None else version,
            **kept,
        )
        request = pb.UpdateRequest(resource=pb.Resource(metadata=metadata, spec=text(read["spec"])))
        self.stub.Update(request, metadata=self.metadata("Update"), timeout=DEADLINE)

    def change(self, type_: str, id_: str, **spec: Any) -> None:
        """Read, change fields of the spec, write back whatever the version is by then."""
        read = self.get(type_, id_)
        read["spec"].update(spec)
        self.update(read, version="undefined")

    def teardown(self, type_: str, id_: str, namespace: str = "default") -> None:
        request = pb.DeleteRequest(namespace=namespace, type=full(type_), id=id_)
        self.stub.Teardown(request, metadata=self.metadata("Teardown"), timeout=DEADLINE)

    def delete(self, type_: str, id_: str, namespace: str = "default", timeout: float = DEADLINE) -> None:
        request = pb.DeleteRequest(namespace=namespace, type=full(type_), id=id_)
        self.stub.Delete(request, metadata=self.metadata("Delete"), timeout=timeout)

    @contextmanager
    def watch(
        self, type_: str, *selectors: str, namespace: str = "default", timeout: float = DEADLINE, **options: Any
    ) -> Iterator[Events]:
        """Watch until the block ends."""
        request = pb.WatchRequest(namespace=namespace, type=full(type_), **options)
        metadata = self.metadata("Watch", *(("selectors", selector) for selector in selectors))
        call = self.stub.Watch(request, metadata=metadata, timeout=timeout)
        try:
            yield Events(call)
        finally:
            call.cancel()


class Events:
    """The events of a watch, in words."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def next(self) -> tuple[str, dict[str, Any] | None, dict[str, Any] | None]:
        """Return kind, resource and old resource of the next event."""
        event = next(self._call).event
        kind = pb.EventType.Name(event.event_type).lower()
        return kind, _parsed(event.resource), _parsed(event.old)

    def kinds(self, count: int) -> list[str]:
        """Return the next events as kind and id."""
        found = []
        for _ in range(count):
            kind, resource, _ = self.next()
            found.append(f"{kind} {resource['metadata']['id']}" if resource else kind)
        return found


def full(type_: str) -> str:
    return type_ if "." in type_ else type_ + OMNI


def text(spec: Any) -> str:
    return spec if isinstance(spec, str) else orjson.dumps(spec or {}).decode()


def _parsed(body: str) -> dict[str, Any] | None:
    return orjson.loads(body) if body else None


@contextmanager
def refused(code: grpc.StatusCode, *words: str) -> Iterator[None]:
    """Expect a call to fail with a code, its text naming some words."""
    try:
        yield
    except grpc.RpcError as error:
        assert error.code() is code, f"{error.code()}: {error.details()}"
        for word in words:
            assert word in error.details(), error.details()
        return
    raise AssertionError(f"the call went through instead of failing with {code.name}")


def invalid(*words: str) -> Any:
    return refused(grpc.StatusCode.INVALID_ARGUMENT, *words)


def unknown(*words: str) -> Any:
    return refused(grpc.StatusCode.UNKNOWN, *words)


def denied(*words: str) -> Any:
    return refused(grpc.StatusCode.PERMISSION_DENIED, *words)


def missing() -> Any:
    return refused(grpc.StatusCode.NOT_FOUND)


def exists() -> Any:
    return refused(grpc.StatusCode.ALREADY_EXISTS)


def unauthenticated() -> Any:
    return refused(grpc.StatusCode.UNAUTHENTICATED)
