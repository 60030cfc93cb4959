"""Metrics of how busy a worker is: threads, requests that wait for one, connections."""

from __future__ import annotations

from omni_gateway.http.metric_samples import sampled_gauge
from omni_gateway.server.worker import BufferingWorker

THREADS = sampled_gauge("omni_gateway_threads", "Threads for requests, of all workers")
IN_USE = sampled_gauge("omni_gateway_threads_in_use", "Threads that a request, or a stream of logs, occupies")
WAITING = sampled_gauge("omni_gateway_requests_waiting", "Requests that wait for a thread")
CONNECTIONS = sampled_gauge("omni_gateway_connections", "Open connections of clients")


def sample(worker: BufferingWorker) -> None:
    """Set the metrics of this process's worker."""
    load = worker.load
    THREADS.set(load.threads)
    IN_USE.set(load.threads_in_use)
    WAITING.set(load.waiting)
    CONNECTIONS.set(load.connections)
