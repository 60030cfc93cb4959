"""A proxy that passes bytes on after a delay: between TCP ports of loopback, or between sockets in folders."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

PIECE = 64 * 1024
MOST_PIECES = 256


class SlowProxy:
    """Passes everything on to ``upstream`` (a port or a socket's path); ``delay`` seconds later, in each direction."""

    def __init__(self, upstream: int | Path, listen: Path | None = None) -> None:
        self.delay = 0.0
        self.port = 0
        self._upstream = upstream
        self._listen = listen
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, name="slow-proxy", daemon=True).start()
        self._run(self._start())

    def close(self) -> None:
        """End it and its connections."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> None:
        if self._listen is not None:
            self._server = await asyncio.start_unix_server(self._serve, self._listen)
            self._listen.chmod(0o777)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(self._upstream, Path):
                up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
            else:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        for source, target in ((reader, up_writer), (up_reader, writer)):
            task = asyncio.ensure_future(self._pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Delay each piece, and not the ones behind it: a long way, not a narrow one."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_PIECES)

        async def read() -> None:
            piece = b"-"
            while piece:
                try:
                    piece = await source.read(PIECE)
                except OSError:
                    piece = b""
                await pieces.put((self._loop.time() + self.delay, piece))

        reading = asyncio.ensure_future(read())
        with suppress(OSError):
            while (due := await pieces.get())[1]:
                await asyncio.sleep(due[0] - self._loop.time())
                target.write(due[1])
                await target.drain()
        reading.cancel()
        target.close()
