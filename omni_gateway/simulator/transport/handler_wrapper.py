"""The base of interceptors: wraps a method's handler, by whether the method streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import grpc

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Details = grpc.HandlerCallDetails


class WrappingInterceptor(grpc.ServerInterceptor):
    """Wraps calls that answer once (``_unary``) and calls that stream (``_streaming``)."""

    def intercept_service(self, continuation: Callable[[Details], Handler | None], details: Details) -> Handler | None:
        """Wrap a method's handler; an unknown method stays unknown."""
        handler = continuation(details)
        if handler is None:
            return None
        method = details.method
        coders = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(self._streaming(method, handler.unary_stream), *coders)
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._unary(method, handler.unary_unary), *coders)
        return None  # Omni has no call with a stream of requests

    def _unary(self, method: str, serve: Callable[..., Any]) -> Callable[..., Any]:
        raise NotImplementedError

    def _streaming(self, method: str, serve: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        raise NotImplementedError
