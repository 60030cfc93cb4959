"""The client through a proxy that passes HTTP/1.1 only: Omni's HTTP gateway in the place of gRPC."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import grpc
import pytest

from omni_gateway.omni import OmniClient, OmniConfig, errors
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.stubs import management_pb2, management_pb2_grpc
from omni_gateway.stubs import simulator_faults_pb2 as faults
from tests.omni_client.http1_proxy import Http1Proxy, http1_proxy
from tests.omni_client.scripted_omni import make_key

PATCHES = "ConfigPatches.omni.sidero.dev"
MACHINES = "MachineStatuses.omni.sidero.dev"
BUSY = faults.Error(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="too many requests")
REFUSED = faults.Connections(mode=faults.Connections.REFUSED)
AWAY = faults.Error(code=grpc.StatusCode.UNAVAILABLE.value[0], message="restarting")


@pytest.fixture(scope="module")
def simulated() -> Iterator[RunningSimulator]:
    """An Omni with its HTTP gateway."""
    with running_simulator(fleet=2, http=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(simulated: RunningSimulator) -> Iterator[Http1Proxy]:
    with http1_proxy(simulated.http_address) as running:
        yield running


@pytest.fixture(scope="module")
def config(simulated: RunningSimulator, proxy: Http1Proxy) -> OmniConfig:
    return OmniConfig(proxy.endpoint, simulated.key, timeout=30, transport="http")


@pytest.fixture
def omni(config: OmniConfig) -> Iterator[OmniClient]:
    """A client that is told to use HTTP."""
    with OmniClient(config) as client:
        yield client


def make_patch(omni: OmniClient) -> str:
    name = f"http-{secrets.token_hex(4)}"
    omni.resources.create(PATCHES, name, {"data": "machine: {}\n"})
    return name


class TestTheChoice:
    def test_where_no_http2_passes_the_client_finds_omni_over_http(self, config: OmniConfig, proxy: Http1Proxy) -> None:
        refused = proxy.refused
        with OmniClient(replace(config, transport="auto")) as client:
            client.ping(timeout=30)
            assert client.transport == "http"
            assert client.resources.get(PATCHES, make_patch(client))["spec"] == {"data": "machine: {}\n"}
        assert proxy.refused > refused

    def test_an_omni_that_speaks_grpc_is_spoken_to_by_grpc(self, simulated: RunningSimulator) -> None:
        with OmniClient(OmniConfig(simulated.endpoint, simulated.key, timeout=30)) as client:
            client.ping(timeout=30)
            assert client.transport == "grpc"
            assert client.find_transport() is False

    def test_grpc_may_be_required(self, config: OmniConfig) -> None:
        with OmniClient(replace(config, transport="grpc")) as client:
            with pytest.raises(errors.Unavailable):
                client.ping(timeout=30)
            assert client.transport == "grpc"

    def test_http_may_be_required(self, omni: OmniClient, proxy: Http1Proxy) -> None:
        refused = proxy.refused
        omni.ping(timeout=30)
        assert (omni.transport, proxy.refused) == ("http", refused)

    def test_an_omni_that_is_away_changes_nothing(self, simulated: RunningSimulator) -> None:
        config = OmniConfig(simulated.endpoint, simulated.key, timeout=30)
        with OmniClient(config) as client:
            with simulated.faults.during(faults.Rule(connections=REFUSED)), pytest.raises(errors.Unavailable):
                client.ping(timeout=30)
            assert client.transport == "grpc"


class TestCalls:
    def test_an_object_is_made_read_changed_listed_and_removed(self, omni: OmniClient) -> None:
        name = make_patch(omni)
        read = omni.resources.get(PATCHES, name)
        omni.resources.update({**read, "spec": {"data": "cluster: {}\n"}}, version=read["metadata"]["version"])
        assert omni.resources.get(PATCHES, name)["spec"] == {"data": "cluster: {}\n"}
        assert [item["metadata"]["id"] for item in omni.resources.list(PATCHES, search=[name]).items] == [name]
        omni.resources.delete(PATCHES, name)
        with pytest.raises(errors.NotFound):
            omni.resources.get(PATCHES, name)

    def test_several_values_of_one_key_are_signed_and_arrive(self, omni: OmniClient) -> None:
        name = f"http-{secrets.token_hex(4)}"
        omni.resources.create(PATCHES, name, {"data": "machine: {}\n"}, labels={"first": name})
        found = omni.resources.list(PATCHES, selectors=[f"first={name}", f"second={name}"])
        assert [item["metadata"]["id"] for item in found.items] == [name]

    def test_errors_have_the_classes_that_they_have_over_grpc(self, omni: OmniClient, config: OmniConfig) -> None:
        name = make_patch(omni)
        read = omni.resources.get(PATCHES, name)
        with pytest.raises(errors.AlreadyExists):
            omni.resources.create(PATCHES, name, {"data": "machine: {}\n"})
        with pytest.raises(errors.StaleVersion):
            omni.resources.update({**read, "spec": {"data": "cluster: {}\n"}}, version=7)
        with pytest.raises(errors.InvalidArgument):
            omni.management.validate_config("machine: [")
        with (
            OmniClient(replace(config, service_account_key=make_key().text)) as stranger,
            pytest.raises(errors.CredentialRefused),
        ):
            stranger.ping(timeout=30)

    def test_a_call_that_may_be_repeated_is_and_a_write_is_not(
        self, omni: OmniClient, simulated: RunningSimulator
    ) -> None:
        name = make_patch(omni)
        with simulated.faults.during(faults.Rule(method="*/Get", resource_id=name, times=2, error=AWAY)):
            assert omni.resources.get(PATCHES, name)["metadata"]["id"] == name
        rule = faults.Rule(method="*/Update", resource_id=name, error=AWAY)
        with simulated.faults.during(rule) as state, pytest.raises(errors.Unavailable):
            omni.resources.update({**omni.resources.get(PATCHES, name), "spec": {"data": "x: 1\n"}}, version=None)
        assert state().struck == 1

    def test_a_busy_omni_is_that(self, omni: OmniClient, simulated: RunningSimulator) -> None:
        rule = faults.Rule(method="*/Create", error=BUSY)
        with simulated.faults.during(rule), pytest.raises(errors.ResourceExhausted, match="too many requests"):
            make_patch(omni)

    def test_an_answer_that_does_not_come_ends_at_the_deadline(
        self, omni: OmniClient, simulated: RunningSimulator
    ) -> None:
        rule = faults.Rule(method="*/List", silence=faults.Silence())
        with simulated.faults.during(rule), pytest.raises(errors.DeadlineExceeded):
            omni.resources.list(PATCHES, timeout=0.3)

    def test_an_answer_above_the_limit_is_refused(self, config: OmniConfig) -> None:
        with OmniClient(replace(config, max_message_bytes=100)) as client, pytest.raises(errors.MessageTooLarge):
            client.resources.list(MACHINES, limit=2)

    def test_closing_the_client_ends_a_call(
        self, omni: OmniClient, simulated: RunningSimulator, wait_until: Callable[..., Any]
    ) -> None:
        raised: list[errors.OmniError] = []

        def ask() -> None:
            try:
                omni.resources.list(PATCHES)
            except errors.OmniError as error:
                raised.append(error)

        with simulated.faults.during(faults.Rule(method="*/List", silence=faults.Silence())) as state:
            thread = threading.Thread(target=ask)
            thread.start()
            wait_until(lambda: state().struck == 1, 30)
            omni.close()
            thread.join(30)
        assert [type(error) for error in raised] == [errors.Cancelled]

    def test_a_removal_is_begun_without_waiting(
        self, omni: OmniClient, simulated: RunningSimulator, wait_until: Callable[..., Any]
    ) -> None:
        name = make_patch(omni)
        omni.resources.remove(PATCHES, name)
        wait_until(lambda: simulated.store.peek("default", PATCHES, name) is None, 30)

    def test_the_machines_own_api_is_carried_too(self, omni: OmniClient) -> None:
        machine = omni.resources.list(MACHINES).items[0]
        assert omni.machines.version(machine["metadata"]["id"]).tag == machine["spec"]["talos_version"]
        with pytest.raises(errors.NotFound):
            omni.machines.version("00000000-0000-0000-0000-000000000000")

    def test_stubs_of_a_plugin_make_calls_over_the_same_channel(self, omni: OmniClient) -> None:
        stub = management_pb2_grpc.ManagementServiceStub(omni.channel())
        with pytest.raises(grpc.RpcError) as failed:
            stub.ValidateConfig(management_pb2.ValidateConfigRequest(config="machine: ["), timeout=30)
        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


class TestStreams:
    def test_a_watch_shows_what_is_there_and_what_is_written(self, omni: OmniClient) -> None:
        with omni.resources.watch(PATCHES) as watch:
            while next(watch).kind != "bootstrapped":
                pass
            name = make_patch(omni)
            event = next(watch)
        assert (event.kind, (event.resource or {})["metadata"]["id"]) == ("created", name)
        assert list(watch) == []

    def test_a_stream_that_is_left_leaves_no_connection_behind(
        self, config: OmniConfig, simulated: RunningSimulator, wait_until: Callable[..., Any]
    ) -> None:
        with (
            http1_proxy(simulated.http_address) as proxy,
            OmniClient(replace(config, endpoint=proxy.endpoint)) as client,
        ):
            with client.resources.watch(PATCHES) as watch:
                while next(watch).kind != "bootstrapped":
                    pass
                assert proxy.open == 1
            wait_until(lambda: proxy.open == 0, 30)

    def test_a_watch_that_is_cut_is_an_error_and_no_end(self, omni: OmniClient, proxy: Http1Proxy) -> None:
        with omni.resources.watch(PATCHES) as watch:
            while next(watch).kind != "bootstrapped":
                pass
            proxy.cut()
            with pytest.raises(errors.Unavailable):
                next(watch)

    def test_any_thread_may_end_a_stream_that_is_waited_for(self, omni: OmniClient) -> None:
        watch = omni.resources.watch(PATCHES)
        while next(watch).kind != "bootstrapped":
            pass
        waiting = threading.Thread(target=lambda: list(watch))
        waiting.start()
        watch.cancel()
        waiting.join(30)
        assert not waiting.is_alive()

    @pytest.mark.parametrize("begun", [False, True])
    def test_a_stream_ends_with_omnis_error(self, omni: OmniClient, simulated: RunningSimulator, begun: bool) -> None:
        cut = faults.Rule(method="*/Watch", cut=faults.Cut(after_messages=1))
        rule = cut if begun else faults.Rule(method="*/Watch", error=BUSY)
        kind = errors.Unavailable if begun else errors.ResourceExhausted
        make_patch(omni)
        with simulated.faults.during(rule), omni.resources.watch(PATCHES) as watch, pytest.raises(kind):
            list(watch)

    def test_logs_of_a_machine_come(self, omni: OmniClient) -> None:
        machine = omni.resources.list(MACHINES).items[0]["metadata"]["id"]
        with omni.management.machine_logs(machine) as logs:
            assert b"talos" in b"".join(logs)

    def test_a_stream_ends_at_its_deadline(self, omni: OmniClient) -> None:
        machine = omni.resources.list(MACHINES).items[0]["metadata"]["id"]
        began = time.monotonic()
        with (
            omni.management.machine_logs(machine, follow=True, timeout=0.3) as logs,
            pytest.raises(errors.DeadlineExceeded),
        ):
            list(logs)
        assert time.monotonic() - began >= 0.3


class TestProxies:
    """Answers that are not Omni's."""

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (200, b"<html>", errors.Unknown),
            (200, b"5", errors.Unknown),
            (400, b"<html>", errors.Unknown),
            (404, b"<html>", errors.Unimplemented),
            (404, b'{"code":5,"message":"Not Found"}', errors.Unimplemented),
            (413, b"<html>", errors.MessageTooLarge),
            (429, b"<html>", errors.ResourceExhausted),
            (502, b"<html>", errors.Unavailable),
            (504, b'{"code":"no number"}', errors.Unavailable),
        ],
    )
    def test_they_are_errors_by_their_status(self, status: int, body: bytes, kind: type[errors.OmniError]) -> None:
        with (
            _answering(status, body) as endpoint,
            OmniClient(OmniConfig(endpoint, transport="http")) as client,
            pytest.raises(errors.OmniError) as failed,
        ):
            client.resources.create(PATCHES, "x", {})
        assert type(failed.value) is kind
        assert failed.value.retry_after == (None if status == 200 else 7.0)


class _answering:
    """A server that gives every request the same answer."""

    def __init__(self, status: int, body: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
