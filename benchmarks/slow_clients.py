"""Clients that send a byte a second, in great numbers: what do they cost the others?

``python -m benchmarks.slow_clients`` measures bare gunicorn with 200 of them, and 5,000 through the nginx configuration
that ``deploy/`` ships, and prints the other callers' p50 and p99 without and with them. At most twice the p99 is asked.
"""

from __future__ import annotations

import asyncio
import http.client
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles

import click

from benchmarks.processes import Target, gateway, omni_under_test
from benchmarks.proxy import nginx

ROUNDS = 3
CALLS = 400
PATH = "/api/v1/machines?page_size=10"
HEAD = b"POST /api/v1/clusters HTTP/1.1\r\nHost: slow.example\r\nContent-Type: application/json\r\n"
BODY = b"Content-Length: 100000\r\n\r\n"


@click.command()
@click.option("--direct", default=200, show_default=True, help="Slow connections to bare gunicorn; 0: none.")
@click.option("--proxied", default=5000, show_default=True, help="Slow connections through nginx; 0: none.")
def main(direct: int, proxied: int) -> None:
    """Measure and print."""
    raise_file_limit()
    with omni_under_test(50) as omni, gateway(omni) as target:
        print(f"{'':<34}{'p50 ms':>10}{'p99 ms':>10}")
        if direct:
            compare("bare gunicorn", target, target.port, direct)
        if proxied:
            with nginx(target.port) as port:
                compare("nginx before it", target, port, proxied)


def compare(name: str, target: Target, port: int, count: int) -> None:
    """Measure without and with slow clients, in turns, and print both and their ratio."""
    quiet: list[float] = []
    slow: list[float] = []
    for _ in range(ROUNDS):
        quiet += samples(target, port)
        with slow_clients(port, count):
            slow += samples(target, port)
    for label, taken in ((f"{name}", quiet), (f"{name}, {count} slow clients", slow)):
        print(f"{label:<34}{median(taken) * 1e3:>10.2f}{p99(taken) * 1e3:>10.2f}")
    print(f"{'  ratio of the p99 (at most 2)':<34}{'':>10}{p99(slow) / p99(quiet):>10.2f}", flush=True)


def p99(taken: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(taken, n=100)[-1]


def samples(target: Target, port: int) -> list[float]:
    """Return the seconds of each call: every other one over a new connection, every other over a kept one."""
    headers = {"Authorization": f"Bearer {target.token}"}
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for number in range(CALLS):
        connection = kept if number % 2 else http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        start = time.perf_counter()
        connection.request("GET", PATH, headers=headers)
        answer = connection.getresponse()
        answer.read()
        taken.append(time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"{PATH}: {answer.status}")
        if connection is not kept:
            connection.close()
    kept.close()
    return taken


@contextmanager
def slow_clients(port: int, count: int) -> Iterator[None]:
    """Keep so many slow clients busy, in a process of their own; they are all connected when this yields."""
    command = [sys.executable, "-m", "benchmarks.slow_clients", "--be-slow", str(port), str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"all are connected\n":
            raise RuntimeError("the slow clients could not connect")
        yield
    finally:
        process.kill()
        process.wait()


def raise_file_limit() -> None:
    """Let this process and those that it starts open as many files as they may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def be_slow(port: int, count: int) -> None:
    """Open the connections, half of them slow in the head and half in the body; one that is closed is opened again."""
    connected = asyncio.Semaphore(0)
    at_once = asyncio.Semaphore(100)
    clients = [asyncio.create_task(_slow(port, bool(number % 2), connected, at_once)) for number in range(count)]
    for _ in range(count):
        await connected.acquire()
    print("all are connected", flush=True)
    await asyncio.gather(*clients)


async def _slow(port: int, in_body: bool, connected: asyncio.Semaphore, at_once: asyncio.Semaphore) -> None:
    rest = b"1" * 100_000 if in_body else b"X-Slow: " + b"a" * 100_000
    while True:
        try:
            async with at_once:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + (BODY if in_body else b""))
            connected.release()
            for position in range(len(rest)):
                await asyncio.sleep(1)
                writer.write(rest[position : position + 1])
                await writer.drain()
        except OSError:
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--be-slow"]:
        raise_file_limit()
        asyncio.run(be_slow(int(sys.argv[2]), int(sys.argv[3])))
    else:
        main()
