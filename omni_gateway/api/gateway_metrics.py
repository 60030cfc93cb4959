"""Metrics of an application's parts: cache, watches, the store's connections, readiness checks, plugins."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter

from omni_gateway.cache.informer import Informer
from omni_gateway.http.metric_samples import Total, sampled_gauge
from omni_gateway.http.metrics import REGISTRY
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.gateway import Gateway
from omni_gateway.store.database import MOST_CONNECTIONS

INFORMERS = sampled_gauge(
    "omni_gateway_cache_informers", "Types that workers hold; ready: reads may use them", ["state"]
)
OBJECTS = sampled_gauge(
    "omni_gateway_cache_objects", "Objects of a type, in the worker that has most", ["type"], "livemax"
)
BYTES = sampled_gauge("omni_gateway_cache_bytes", "Memory of a type's objects, of all workers", ["type"])
LIMIT = sampled_gauge("omni_gateway_cache_limit_bytes", "Memory that objects may take, in all workers")
RENDERED = sampled_gauge(
    "omni_gateway_cache_rendered_bytes", "Memory of rendered bodies, pages and answers, of all workers"
)
RENDERED_LIMIT = sampled_gauge("omni_gateway_cache_rendered_limit_bytes", "Memory that these may take, in all workers")
AGE = sampled_gauge(
    "omni_gateway_cache_age_seconds",
    "Time since the last sign that Omni's objects of a type are so, in the worker where it is longest ago",
    ["type"],
    "livemax",
)
LAG = sampled_gauge(
    "omni_gateway_cache_lag_seconds",
    "Time from the last change of a type, by Omni's clock in whole seconds, to its arrival; the longest of a worker",
    ["type"],
    "livemax",
)
RESYNCS = Total(
    Counter(
        "omni_gateway_cache_resyncs_total",
        "Watches that have listed all objects of a type: the first one of each worker, and one after each interruption",
        ["type"],
        registry=REGISTRY,
    )
)
PENDING = sampled_gauge(
    "omni_gateway_cache_pending_writes",
    "Objects written, or read from Omni in a newer state, whose change no read has found in the cache yet;"
    " a read that waits for one in vain has the Cache-Status detail pending-write",
)
BROADCASTERS = sampled_gauge(
    "omni_gateway_watch_broadcasters", "Different questions of the watches that the cache feeds"
)
SUBSCRIBERS = sampled_gauge("omni_gateway_watch_subscribers", "Watches that the cache feeds")
STREAM_LIMIT = sampled_gauge(
    "omni_gateway_streams_limit",
    "Streams that may be open: with a thread, or fed by the cache",
    ["kind"],
)
STREAMS = sampled_gauge("omni_gateway_streams", "Open streams: with a thread, or fed by the cache", ["kind"])
CONNECTIONS = sampled_gauge("omni_gateway_store_connections", "Connections to the store's database", ["state"])
CONNECTION_LIMIT = sampled_gauge("omni_gateway_store_connections_limit", "Connections to it that may be open")
CHECK_UP = sampled_gauge(
    "omni_gateway_check_up", "1 while a readiness check passes in all workers", ["check"], "livemin"
)
CHECK_SECONDS = sampled_gauge(
    "omni_gateway_check_latency_seconds",
    "Time that a readiness check took when it last passed, the longest of a worker",
    ["check"],
    "livemax",
)
PLUGINS = sampled_gauge("omni_gateway_plugins", "Plugins by state: loaded, disabled, broken", ["state"], "livemax")

#: The types that this process has set a metric of: an evicted one is set to zero.
_types: set[str] = set()


def sample(gateway: Gateway, found: Sequence[Found]) -> None:
    """Set the metrics of this process's application."""
    _sample_cache(gateway)
    broadcasters = gateway.broadcasters.all()
    BROADCASTERS.set(len(broadcasters))
    SUBSCRIBERS.set(sum(each.subscribers for each in broadcasters))
    for kind, limiter in (("thread", gateway.streams), ("watch", gateway.watches)):
        STREAMS.labels(kind).set(limiter.open)
        STREAM_LIMIT.labels(kind).set(limiter.limit)
    in_use, idle = gateway.store.database.connections
    CONNECTIONS.labels("in_use").set(in_use)
    CONNECTIONS.labels("idle").set(idle)
    CONNECTION_LIMIT.set(MOST_CONNECTIONS)
    for name, entry in gateway.readiness.entries().items():
        CHECK_UP.labels(name).set(entry["status"] == "ok")
        if "latency_ms" in entry:
            CHECK_SECONDS.labels(name).set(entry["latency_ms"] / 1000)
    states = Counts(item.state for item in found)
    for state in ("loaded", "disabled", "broken"):
        PLUGINS.labels(state).set(states[state])


def _sample_cache(gateway: Gateway) -> None:
    cache = gateway.own_omni.cache
    informers = cache.all()
    ready = sum(informer.ready for informer in informers)
    INFORMERS.labels("ready").set(ready)
    INFORMERS.labels("not_ready").set(len(informers) - ready)
    LIMIT.set(cache.max_size)
    RENDERED.set(gateway.rendered.size)
    RENDERED_LIMIT.set(gateway.rendered.most)
    PENDING.set(sum(len(cache.pending_writes.ids((each.name, each.namespace))) for each in informers))
    by_type: dict[str, list[Informer]] = {}
    for informer in informers:
        by_type.setdefault(informer.name, []).append(informer)
    _types.update(by_type)
    for type in _types:
        of_type = by_type.get(type, [])
        OBJECTS.labels(type).set(sum(each.object_count for each in of_type))
        BYTES.labels(type).set(sum(each.size for each in of_type))
        # Before its first list an informer has no objects whose age there could be.
        AGE.labels(type).set(max((cache.staleness(each) for each in of_type if each.relists), default=0.0))
        LAG.labels(type).set(max((_lag(each) for each in of_type), default=0.0))
        if of_type:
            RESYNCS.follow(sum(each.relists for each in of_type), type)


def _lag(informer: Informer) -> float:
    change = informer.last_change
    if change is None or not change[1]:
        return 0.0
    arrived, changed = change
    return max(0.0, arrived - datetime.fromisoformat(changed).timestamp())
