"""Omni's HTTP gateway: each method of the gRPC port as ``POST /api/package.Service/Method`` with JSON.

It calls the gRPC port, as Omni's own does, so that signatures, roles and faults are those of gRPC. Omni has both on one
port; here it is another one.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

from omni_gateway.simulator.transport.http_server import HttpServer
from omni_gateway.stubs import auth_pb2, machine_pb2, management_pb2, oidc_pb2, resources_pb2

_FILES = (auth_pb2, machine_pb2, management_pb2, oidc_pb2, resources_pb2)
_METHODS: dict[str, MethodDescriptor] = {
    f"/api/{service.full_name}/{method.name}": method
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
_METADATA = "grpc-metadata-"
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
#: HTTP's status of each of gRPC's, as grpc-gateway has it; 500 for the others.
_STATUSES = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}


class HttpGateway(HttpServer):
    """A server of its own in front of a gRPC port."""

    def __init__(self, grpc_address: str, listen: str) -> None:
        """Take the address; OSError when it cannot be had."""
        host, _, port = listen.rpartition(":")
        self._channel = grpc.insecure_channel(grpc_address, _SIZE)
        super().__init__("http-gateway", _Handler, {"channel": self._channel}, host.strip("[]"), int(port))
        self.address = f"{host}:{self.port}"

    def stop(self) -> None:
        """End all calls, and give the port back."""
        super().stop()
        self._channel.close()


class _Handler(BaseHTTPRequestHandler):
    channel: grpc.Channel
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Make the call that the path names, and answer with its response or its status."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = _METHODS.get(self.path)
        if method is None:
            return self._refuse(grpc.StatusCode.NOT_FOUND, "Not Found")
        try:
            request = json_format.Parse(body or b"{}", message_factory.GetMessageClass(method.input_type)())
        except json_format.ParseError as error:
            return self._refuse(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = message_factory.GetMessageClass(method.output_type)
        make = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = make(self.path.removeprefix("/api"), type(request).SerializeToString, response.FromString)
        timeout, metadata = _timeout(self.headers.get("Grpc-Timeout", "")), tuple(self._metadata())
        try:
            if method.server_streaming:
                self._stream(call(request, timeout=timeout, metadata=metadata))
            else:
                self._answer(200, _json(call(request, timeout=timeout, metadata=metadata)))
        except grpc.RpcError as error:
            self._refuse(*_end_of(error), streaming=method.server_streaming)
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        """Answer a page, as the web interface does, which has this port too; calls are no GET."""
        if self.path.startswith("/api/"):
            self._refuse(grpc.StatusCode.UNIMPLEMENTED, "Method Not Allowed")
        else:
            self._answer(200, b"<!doctype html><title>Omni</title>", "text/html")

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _metadata(self) -> Iterator[tuple[str, str | bytes]]:
        for name, value in self.headers.items():
            if name.lower().startswith(_METADATA):
                yield name.lower().removeprefix(_METADATA), value

    def _stream(self, messages: Any) -> None:
        """Send each message as a line of its own, at once; the head of the answer comes with the first."""
        begun = False
        try:
            for message in messages:
                if not begun:
                    begun = True
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                self._chunk(b'{"result":' + _json(message) + b"}\n")
        except grpc.RpcError as error:
            if not begun:
                raise
            self._chunk(_status(*_end_of(error), streaming=True))
        finally:
            messages.cancel()
        if begun:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._answer(200, b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _refuse(self, code: grpc.StatusCode, message: str, *, streaming: bool = False) -> None:
        self._answer(_STATUSES.get(code.name, 500), _status(code, message, streaming=streaming))

    def _answer(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if "gzip" in re.split(r",\s*", self.headers.get("Accept-Encoding", "")):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _end_of(call: Any) -> tuple[grpc.StatusCode, str]:
    """Return how a call ended; what a stub raises is the call as well."""
    return call.code(), call.details()


def _json(message: Any) -> bytes:
    document = json_format.MessageToDict(message, preserving_proto_field_name=True, use_integers_for_enums=True)
    return json.dumps(document, separators=(",", ":")).encode()


def _status(code: grpc.StatusCode, message: str, *, streaming: bool) -> bytes:
    status = {"code": code.value[0], "message": message}
    return json.dumps({"error": status}).encode() + b"\n" if streaming else json.dumps(status).encode()


def _timeout(text: str) -> float | None:
    return float(text[:-1]) * _UNITS[text[-1]] if text else None
