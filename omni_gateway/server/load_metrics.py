"""Metrics of how busy a worker is: threads, requests that wait for one, connections."""

from __future__ import annotations

from prometheus_client import Gauge

from omni_gateway.http.metrics import REGISTRY
from omni_gateway.server.worker import BufferingWorker


def _gauge(name: str, text: str) -> Gauge:
    return Gauge(name, text, registry=REGISTRY, multiprocess_mode="livesum")


THREADS = _gauge("omni_gateway_threads", "Threads for requests, of all workers")
IN_USE = _gauge("omni_gateway_threads_in_use", "Threads that a request, or a stream of logs, occupies")
WAITING = _gauge("omni_gateway_requests_waiting", "Requests that wait for a thread")
CONNECTIONS = _gauge("omni_gateway_connections", "Open connections of clients")


def sample(worker: BufferingWorker) -> None:
    """Set the metrics of this process's worker."""
    load = worker.load
    THREADS.set(load.threads)
    IN_USE.set(load.threads_in_use)
    WAITING.set(load.waiting)
    CONNECTIONS.set(load.connections)
