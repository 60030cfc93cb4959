"""The interceptor that signs: once for each call, so that gRPC's own retries reuse the signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from omni_gateway.omni.rpcs import UNSIGNED_PATHS
from omni_gateway.omni.signing import Signer

RequestT = TypeVar("RequestT")
CallT = TypeVar("CallT")


@dataclass(slots=True)
class _CallDetails(grpc.ClientCallDetails):
    """A call's particulars with other metadata; gRPC's own class for it is private."""

    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str | bytes], ...] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class SigningInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Add a signer's metadata to every call of a channel that Omni wants signed."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.ClientCallDetails, RequestT], CallT],
        client_call_details: grpc.ClientCallDetails,
        request: RequestT,
    ) -> CallT:
        """Sign, then call."""
        return continuation(self._signed(client_call_details), request)

    def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.ClientCallDetails, RequestT], CallT],
        client_call_details: grpc.ClientCallDetails,
        request: RequestT,
    ) -> CallT:
        """Sign, then open the stream."""
        return continuation(self._signed(client_call_details), request)

    def _signed(self, details: Any) -> grpc.ClientCallDetails:
        path = details.method
        if path in UNSIGNED_PATHS:
            return details  # type: ignore[no-any-return]
        metadata = tuple(details.metadata or ())
        return _CallDetails(
            path,
            details.timeout,
            (*metadata, *self._signer.sign(path, metadata)),
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )
