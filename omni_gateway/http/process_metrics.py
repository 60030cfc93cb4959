"""Metrics of the worker processes and of Python, by the names of prometheus_client's own collectors.

Those collectors are no use with several workers: they show the process that answers the scrape, each time another one.
Here the figures of all workers are added; the master, which only waits for them, is not among them.
"""

from __future__ import annotations

import gc
import os
import platform
import resource
import sys
import threading
import time
from pathlib import Path

from prometheus_client import Counter, Gauge

from omni_gateway.http.metric_samples import Total, sampled_gauge
from omni_gateway.http.metrics import REGISTRY

_PROC = Path("/proc/self")


WORKERS = sampled_gauge("omni_gateway_workers", "Worker processes")
RESIDENT = sampled_gauge(
    "process_resident_memory_bytes", "Resident memory of the workers, pages that they share counted each"
)
LARGEST = sampled_gauge(
    "omni_gateway_worker_resident_memory_bytes", "Resident memory of the largest worker", mode="livemax"
)
OPEN_FDS = sampled_gauge("process_open_fds", "Open file descriptors of the workers")
MAX_FDS = sampled_gauge("process_max_fds", "File descriptors that the workers may open")
STARTED = sampled_gauge(
    "process_start_time_seconds", "When the youngest worker began to serve (Unix time)", mode="livemax"
)
THREADS = sampled_gauge("python_threads", "Threads of the workers, idle ones included")
CPU = Total(Counter("process_cpu_seconds_total", "CPU time of the workers, user and system", registry=REGISTRY))
COLLECTIONS = Total(Counter("python_gc_collections_total", "Garbage collections", ["generation"], registry=REGISTRY))
PYTHON = Gauge(
    "python_info",
    "The Python that runs",
    ["implementation", "version"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)

_started: dict[int, float] = {}


def sample() -> None:
    """Set the metrics of this process."""
    WORKERS.set(1)
    STARTED.set(_started.setdefault(os.getpid(), time.time()))
    THREADS.set(threading.active_count())
    CPU.follow(time.process_time())
    MAX_FDS.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for generation, figures in enumerate(gc.get_stats()):
        COLLECTIONS.follow(figures["collections"], str(generation))
    PYTHON.labels(platform.python_implementation(), platform.python_version()).set(1)
    if sys.platform == "linux":
        pages = int((_PROC / "statm").read_text().split()[1])
        RESIDENT.set(pages * resource.getpagesize())
        LARGEST.set(pages * resource.getpagesize())
        OPEN_FDS.set(len(list((_PROC / "fd").iterdir())))
