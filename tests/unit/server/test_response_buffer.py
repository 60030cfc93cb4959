"""What waits in memory for a reader that takes nothing, and what does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from omni_gateway.server.response_buffer import ResponseBuffer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n"
PIECE = bytes(1024 * 1024)


@pytest.fixture
def buffer() -> Iterator[ResponseBuffer]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ResponseBuffer(ours, 0.2)


def test_an_answer_of_known_length_waits_in_memory(buffer: ResponseBuffer) -> None:
    buffer.sendall(HEAD + b"\r\n")
    for _ in range(32):
        buffer.sendall(PIECE)
    assert not buffer.flush()


def test_a_file_from_elsewhere_waits_for_its_reader_though_its_length_is_known(buffer: ResponseBuffer) -> None:
    buffer.sendall(HEAD + b"X-Accel-Buffering: no\r\n\r\n")
    with pytest.raises(TimeoutError):
        for _ in range(32):
            buffer.sendall(PIECE)
