"""The files of metrics of workers that have ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from omni_gateway.http import metrics_directory

#: What a worker does: a count, a distribution, and gauges of its own state and of a version.
WORKER = """
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
registry = CollectorRegistry()
Counter("hits_total", "Hits", ["kind"], registry=registry).labels("a").inc(2)
Histogram("seconds", "Time", buckets=[1, 5], registry=registry).observe(3)
Gauge("open", "Open", registry=registry, multiprocess_mode="livesum").set(4)
Gauge("version", "Version", registry=registry, multiprocess_mode="mostrecent").set(5)
import os; print(os.getpid())
"""


def ended_worker(folder: Path) -> int:
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", WORKER], env=environ, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_the_counts_of_ended_workers_stay_and_their_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    for _ in range(2):
        pid = ended_worker(tmp_path)
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        metrics_directory.merge_ended(pid)

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    lines = generate_latest(registry).decode().splitlines()
    assert {'hits_total{kind="a"} 4.0', "seconds_count 2.0", 'seconds_bucket{le="5.0"} 2.0', "version 5.0"} <= {*lines}
    assert not any(line.startswith("open ") for line in lines)
    assert sorted(path.name for path in tmp_path.glob("*.db")) == [
        "counter_0.db",
        "gauge_mostrecent_0.db",
        "histogram_0.db",
    ]
