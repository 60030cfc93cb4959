"""``omni.resources.ResourceService``: every resource type as JSON, over get, list, create, update, delete, watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import grpc

from omni_gateway.simulator import rules
from omni_gateway.simulator.errors import (
    AlreadyExists,
    Conflict,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    SimError,
    Unauthenticated,
    Unimplemented,
    Unknown,
)
from omni_gateway.simulator.identity import access
from omni_gateway.simulator.identity.caller import ANONYMOUS, Identity, caller
from omni_gateway.simulator.services import external
from omni_gateway.simulator.services.object_changes import changes
from omni_gateway.simulator.services.virtual import Virtual
from omni_gateway.simulator.services.watch_stream import watch
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.stale_reads import seen
from omni_gateway.simulator.state.store import Store
from omni_gateway.simulator.state.watchers import Watchers
from omni_gateway.simulator.wire import resource_json
from omni_gateway.simulator.wire.queries import Page, matcher
from omni_gateway.simulator.wire.types import Verb, catalogue
from omni_gateway.stubs import resources_pb2 as pb
from omni_gateway.stubs import resources_pb2_grpc as pb_grpc

Context = grpc.ServicerContext
_BREAKS: Mapping[str, type[SimError]] = {"unknown": Unknown, "internal": Internal}


class ResourceService(pb_grpc.ResourceServiceServicer):
    """Checks come in Omni's order: roles and rules all together, then existence, version, owner."""

    def __init__(self, store: Store, watchers: Watchers, virtual: Virtual) -> None:
        self._store = store
        self._watchers = watchers
        self._virtual = virtual

    def Get(self, request: pb.GetRequest, context: Context) -> pb.GetResponse:
        """Return one object."""
        self._check_read(request.type, context)
        if self._virtual.serves(request.namespace, request.type):
            return pb.GetResponse(body=resource_json.text(self._virtual.get(request.type, request.id)))
        if request.type == external.TYPE:
            external.check_id(request.id)
        res = seen(self._store).peek(request.namespace, request.type, request.id)
        if res is None:
            raise NotFound(f"resource {request.type}({request.namespace}/{request.id}) doesn't exist")
        return pb.GetResponse(body=resource_json.text(res))

    def List(self, request: pb.ListRequest, context: Context) -> pb.ListResponse:
        """Return the objects of a type in one message, or a page of them."""
        self._check_read(request.type, context)
        selectors = metadata_values(context, "selectors")
        if self._virtual.serves(request.namespace, request.type):
            found: Sequence[Resource] = self._virtual.list(request.type, selectors)
        else:
            if request.type == external.TYPE:
                external.check_list(self._store, selectors)
            found = seen(self._store).view(request.namespace, request.type)
        matches = matcher(selectors, request.search_for)
        if matches is not None:
            found = [res for res in found if matches(res)]
        page = Page(request.offset, request.limit, request.sort_by_field, request.sort_descending)
        return pb.ListResponse(items=[resource_json.text(res) for res in page.of(found)], total=len(found))

    def Create(self, request: pb.CreateRequest, context: Context) -> pb.CreateResponse:
        """Store a new object; its version is 1, not that of the request."""
        who = _writer(request.resource.metadata.type)
        _check_runtime(context)
        new, _ = resource_json.parse(request.resource)
        with self._store.lock:
            problems = list(rules.on_create(rules.RuleContext(self._store, who), new))
            _refuse(access.problem(who, new.type, "create"), problems)
            self._store.create(new)
        return pb.CreateResponse()

    def Update(self, request: pb.UpdateRequest, context: Context) -> pb.UpdateResponse:
        """Replace an object whole. The version that counts is the one in the object's metadata."""
        _check_runtime(context)
        new, version = resource_json.parse(request.resource)
        who = access.require_signed()
        with self._store.lock:
            old = self._store.peek(*new.key)
            self._check_existence_first(new.type, old, "update", who)
            problems = list(rules.on_update(rules.RuleContext(self._store, who), old, new)) if old else []
            _refuse(access.problem(who, new.type, "update"), problems)
            _check_phase(old, version)
            try:
                self._store.update(new, expected_version=version)
            except Conflict as error:
                raise AlreadyExists(error.message) from None
        return pb.UpdateResponse()

    def Teardown(self, request: pb.DeleteRequest, context: Context) -> pb.DeleteResponse:
        """Mark an object for its end."""
        self._teardown(request, context)
        return pb.DeleteResponse()

    def Delete(self, request: pb.DeleteRequest, context: Context) -> pb.DeleteResponse:
        """Mark an object for its end, wait until nothing holds it, remove it.

        When another call or controller removes it meanwhile, this ends as NotFound, though the object is gone.
        """
        self._teardown(request, context)
        key = (request.namespace, request.type, request.id)
        for _ in changes(self._store, key, context):
            res = self._store.peek(*key)
            if res is None or not res.finalizers:
                self._store.destroy(*key)
                break
        return pb.DeleteResponse()

    def Watch(self, request: pb.WatchRequest, context: Context) -> Iterator[pb.WatchResponse]:
        """Stream the present objects, one BOOTSTRAPPED, then every change."""
        self._check_read(request.type, context)
        selectors = metadata_values(context, "selectors")
        if request.type == external.TYPE:
            external.check_list(self._store, selectors)
        yield from watch(self._watchers, request, selectors, context)

    def Controllers(self, request: pb.ControllersRequest, context: Context) -> pb.ControllersResponse:
        """Omni has no answer to this."""
        raise Unimplemented("controllers are not listed")

    def DependencyGraph(self, request: pb.DependencyGraphRequest, context: Context) -> pb.DependencyGraphResponse:
        """Omni has no answer to this."""
        raise Unimplemented("the dependency graph is not shown")

    def _teardown(self, request: pb.DeleteRequest, context: Context) -> None:
        _check_runtime(context)
        who = access.require_signed()
        key = (request.namespace, request.type, request.id)
        if request.type == external.TYPE:
            external.check_id(request.id)
        if (known := catalogue().get(request.type)) and known.destroy_breaks:
            raise _BREAKS[known.destroy_breaks](f"the handler of {request.type} breaks on a teardown")
        with self._store.lock:
            old = self._store.peek(*key)
            self._check_existence_first(request.type, old, "destroy", who)
            problems = list(rules.on_destroy(rules.RuleContext(self._store, who), old)) if old else []
            _refuse(access.problem(who, request.type, "destroy"), problems)
            self._store.teardown(*key)

    def _check_read(self, type_: str, context: Context) -> None:
        who = caller() if type_ in access.PUBLIC_READ else access.require_signed()
        _check_runtime(context)
        if who is not ANONYMOUS and (found := access.problem(who, type_, "read")):
            raise PermissionDenied(found)

    def _check_existence_first(self, type_: str, old: Resource | None, verb: Verb, who: Identity) -> None:
        known = catalogue().get(type_)
        if known is None or not known.existence_first or old is not None:
            return
        if who.at_least("Reader") and access.problem(who, type_, "read") is None:
            raise NotFound(f"there is nothing to {verb}")


def metadata_values(context: Context, key: str) -> list[str]:
    """Return every value of a metadata key of the call."""
    return [value for name, value in context.invocation_metadata() if name == key and isinstance(value, str)]


def _check_runtime(context: Context) -> None:
    runtime = metadata_values(context, "runtime")
    if runtime in (["Talos"], ["Kubernetes"]):
        raise Unimplemented(f"the simulator has no {runtime[0]} resources behind this service")
    if runtime != ["Omni"]:
        raise InvalidArgument("the metadata key runtime must be Omni, Talos or Kubernetes")


def _writer(type_: str) -> Identity:
    who = caller()
    if who is ANONYMOUS and type_ not in access.PUBLIC_CREATE:
        raise Unauthenticated("the call carries no valid signature")
    return who


def _check_phase(old: Resource | None, version: int | None) -> None:
    """Refuse to change an object that tears down: the last of Omni's checks, after the version and the owner."""
    if old is None or old.phase == "running" or old.owner or version not in (None, old.version):
        return
    raise InvalidArgument(f"{old.type} {old.id!r} is not in phase running")


def _refuse(denied: str | None, problems: list[str]) -> None:
    """Raise when a write is refused: PermissionDenied comes before InvalidArgument, and the text has all problems."""
    texts = ([denied] if denied else []) + problems
    if not texts:
        return
    text = texts[0] if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)
    raise PermissionDenied(text) if denied else InvalidArgument(text)
