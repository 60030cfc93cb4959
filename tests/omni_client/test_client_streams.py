"""Streams: what they bring, and how they end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from omni_gateway.omni import OmniClient, WatchEvent, errors, rpcs
from omni_gateway.omni.management import AuditRecord, BundleProgress, ManifestSync
from omni_gateway.stubs import common_pb2, management_pb2
from omni_gateway.stubs import resources_pb2 as pb
from tests.omni_client.scripted_omni import ScriptedOmni


def event(kind: int, resource: str = "", old: str = "") -> pb.WatchResponse:
    return pb.WatchResponse(event=pb.Event(event_type=kind, resource=resource, old=old))


CREATED = event(pb.CREATED, '{"metadata": {"id": "a"}, "spec": {}}')
BOOTSTRAPPED = event(pb.BOOTSTRAPPED)
UPDATED = event(pb.UPDATED, '{"spec": {"n": 2}}', '{"spec": {"n": 1}}')
DESTROYED = event(pb.DESTROYED, '{"spec": {"n": 2}}')


class Endless:
    """Streams its messages, then stays silent; ``left`` is set when the client is gone."""

    def __init__(self, *messages: Any) -> None:
        self.messages = messages
        self.left = threading.Event()

    def __call__(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        context.add_callback(self.left.set)
        yield from self.messages
        self.left.wait(20)


def test_a_watch_tells_what_is_there_and_then_what_changes(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, [CREATED, BOOTSTRAPPED, UPDATED, event(99), DESTROYED])
    with client.resources.watch("T", "ephemeral", id="a", selectors=["x = y"], search=["z"]) as watch:
        events = list(watch)
    assert events == [
        WatchEvent("created", {"metadata": {"id": "a"}, "spec": {}}),
        WatchEvent("bootstrapped"),
        WatchEvent("updated", {"spec": {"n": 2}}, {"spec": {"n": 1}}),
        WatchEvent("destroyed", {"spec": {"n": 2}}),
    ]
    (asked,) = scripted.asked
    assert asked.request == pb.WatchRequest(type="T", namespace="ephemeral", id="a", search_for=["z"])
    assert asked.values("selectors") == ["x = y"] and asked.values("x-sidero-signature")


def test_another_thread_may_end_a_watch_that_waits(client: OmniClient, scripted: ScriptedOmni) -> None:
    omni = Endless(CREATED, BOOTSTRAPPED)
    scripted.answer(rpcs.WATCH, omni)
    watch = client.resources.watch("T")
    seen: list[str] = []
    waiting = threading.Event()

    def follow() -> None:
        for change in watch:
            seen.append(change.kind)
            if change.kind == "bootstrapped":
                waiting.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert waiting.wait(10)
    watch.cancel()
    follower.join(10)
    assert not follower.is_alive()
    assert seen == ["created", "bootstrapped"]
    assert omni.left.wait(10)


def test_leaving_the_block_ends_the_call_on_the_server_too(client: OmniClient, scripted: ScriptedOmni) -> None:
    omni = Endless(CREATED)
    scripted.answer(rpcs.WATCH, omni)
    with client.resources.watch("T") as watch:
        assert next(watch).kind == "created"
    assert omni.left.wait(10)


def test_a_cancelled_stream_stays_ended(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, Endless(CREATED, CREATED))
    watch = client.resources.watch("T")
    next(watch)
    watch.cancel()
    watch.cancel()
    assert list(watch) == []


def test_a_stream_that_breaks_raises_what_broke_it(client: OmniClient, scripted: ScriptedOmni) -> None:
    def breaking(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield CREATED
        context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    scripted.answer(rpcs.WATCH, breaking)
    with client.resources.watch("T") as watch:
        next(watch)
        with pytest.raises(errors.Unavailable) as failed:
            next(watch)
    assert failed.value.method == "omni.resources.ResourceService/Watch"
    assert len(scripted.asked) == 1


def test_a_refused_stream_raises_at_the_first_step(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, lambda request, context: context.abort(grpc.StatusCode.PERMISSION_DENIED, "no"))
    with client.resources.watch("T") as watch, pytest.raises(errors.PermissionDenied):
        next(watch)


def test_a_stream_may_be_bounded_in_time(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, Endless(CREATED))
    with client.resources.watch("T", timeout=0.3) as watch:
        next(watch)
        with pytest.raises(errors.DeadlineExceeded):
            next(watch)


def test_closing_the_client_cancels_its_streams(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, Endless(CREATED))
    watch = client.resources.watch("T")
    next(watch)
    client.close()
    with pytest.raises(errors.Cancelled):
        next(watch)


def test_an_event_that_is_not_json_is_told(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.WATCH, [event(pb.CREATED, "{")])
    with client.resources.watch("T") as watch, pytest.raises(errors.Unknown, match="not JSON"):
        next(watch)


def test_a_machines_log_comes_line_by_line_from_its_beginning(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.MACHINE_LOGS, [common_pb2.Data(bytes=b'{"msg":"a"}\n'), common_pb2.Data(bytes=b"")])
    with client.management.machine_logs("m1", follow=True) as lines:
        assert list(lines) == [b'{"msg":"a"}']
    assert scripted.asked[0].request == management_pb2.MachineLogsRequest(machine_id="m1", follow=True, tail_lines=-1)


def test_a_support_bundle_is_progress_and_then_bytes(client: OmniClient, scripted: ScriptedOmni) -> None:
    progress = management_pb2.GetSupportBundleResponse.Progress(source="n1", state="logs", total=3, value=1)
    scripted.answer(
        rpcs.GET_SUPPORT_BUNDLE,
        [
            management_pb2.GetSupportBundleResponse(progress=progress),
            management_pb2.GetSupportBundleResponse(bundle_data=b"PK"),
        ],
    )
    with client.management.support_bundle("c1") as bundle:
        assert list(bundle) == [BundleProgress("n1", "logs", 3, 1, ""), b"PK"]


def test_maintenance_streams_its_messages(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(
        rpcs.MAINTENANCE_LIFECYCLE, [management_pb2.MaintenanceLifecycleResponse(message=text) for text in ("a", "b")]
    )
    with client.management.maintenance_lifecycle("m1", operation="install", disk="/dev/sda") as messages:
        assert list(messages) == ["a", "b"]
    assert scripted.asked[0].request.operation == management_pb2.MaintenanceLifecycleRequest.OPERATION_INSTALL


def test_the_audit_log_is_filtered_by_omni(client: OmniClient, scripted: ScriptedOmni) -> None:
    scripted.answer(rpcs.READ_AUDIT_LOG, [management_pb2.ReadAuditLogResponse(audit_log=b"{}\n", id=7)])
    with client.management.read_audit_log(
        start="2026-01-01", order_by="DATE", descending=True, event_type="CREATE", cluster="c1"
    ) as records:
        assert list(records) == [AuditRecord(b"{}", 7)]
    assert scripted.asked[0].request == management_pb2.ReadAuditLogRequest(
        start_time="2026-01-01",
        order_by_field=management_pb2.AUDIT_LOG_ORDER_BY_FIELD_DATE,
        order_by_dir=management_pb2.AUDIT_LOG_ORDER_BY_DIR_DESC,
        event_type=management_pb2.AUDIT_LOG_EVENT_TYPE_CREATE,
        cluster_id="c1",
    )


def test_manifests_are_only_compared_unless_told_to_apply(client: OmniClient, scripted: ScriptedOmni) -> None:
    answer = management_pb2.KubernetesSyncManifestResponse(
        response_type=management_pb2.KubernetesSyncManifestResponse.MANIFEST, path="a.yaml", diff="+x"
    )
    scripted.answer(rpcs.KUBERNETES_SYNC_MANIFESTS, [answer])
    with client.management.sync_manifests("c1") as manifests:
        assert list(manifests) == [ManifestSync("manifest", "a.yaml", b"", "+x", False)]
    assert scripted.asked[0].request.dry_run
    assert scripted.asked[0].values("context") == ["c1"]
