"""Server streams as iterators that any thread may cancel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc

from omni_gateway.omni.errors import from_rpc

ItemT = TypeVar("ItemT")


class Endless(ABC, Generic[ItemT]):
    """An endless iterator: leaving its ``with`` block, or ``cancel`` from any thread, ends the iteration."""

    def __iter__(self) -> Self:
        return self

    @abstractmethod
    def __next__(self) -> ItemT:
        """Return the next item."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    @abstractmethod
    def cancel(self) -> None:
        """End it; safe from any thread and more than once."""


class Stream(Endless[ItemT]):
    """An iterator of the items of one streaming call; cancelled by leaving its ``with`` block, or by ``cancel``.

    After ``cancel`` the iteration stops without an error. A call that fails raises ``OmniError``. One thread iterates,
    and only once.
    """

    def __init__(
        self,
        method: str,
        call: Any,
        expand: Callable[[Any], Iterable[ItemT]],
        answered: Callable[[], None] = lambda: None,
        ended: Callable[[grpc.StatusCode], None] = lambda code: None,
    ) -> None:
        """``answered`` is called for each message, ``ended`` with the status of the call's end, perhaps twice."""
        self._answered = answered
        self._ended = ended
        self._method = method
        self._call = call
        self._expand = expand
        self._pending: Iterator[ItemT] = iter(())
        self._cancelled = False

    def __next__(self) -> ItemT:
        while not self._cancelled:
            for item in self._pending:
                return item
            self._pending = iter(self._expand(self._message()))
        raise StopIteration

    def cancel(self) -> None:
        """End the call; safe from any thread and more than once."""
        self._cancelled = True
        self._call.cancel()
        self._ended(grpc.StatusCode.CANCELLED)

    def _message(self) -> Any:
        try:
            message = next(self._call)
        except StopIteration:
            self._ended(grpc.StatusCode.OK)
            raise
        except grpc.RpcError as error:
            if self._cancelled:
                raise StopIteration from None
            failure = from_rpc(self._method, error)
            self._ended(failure.code)
            raise failure from None
        self._answered()
        return message
