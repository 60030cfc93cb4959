"""Metrics of plugins: those of ``prometheus_client`` with the plugin's prefix and a bound of their series.

They are made as the gateway's own are (:mod:`omni_gateway.http.metrics`), so `/metrics` sums them over all workers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Literal

import prometheus_client
from prometheus_client import CollectorRegistry

from omni_gateway.http.metrics import SECONDS

PREFIX = "omni_gateway_plugin"
#: The value of each label in the series that counts what is beyond the bound.
OTHER = "other"
#: Longer values of labels are cut.
_LONGEST_VALUE = 100
_NAME = re.compile(r"[a-z][a-z0-9_]*")

#: How a gauge's values of several workers become one: of the workers that live, or the one that was set last.
Combination = Literal["livesum", "livemax", "livemin", "mostrecent"]


class Metric:
    """Base class of a plugin's metrics. A plugin lists it in its ``metrics``, which gives it its whole name.

    :param name: its name behind ``omni_gateway_plugin_<plugin>_``: lower-case letters, digits and ``_``.
    :param text: one line for ``/metrics``.
    :param labels: the names of its labels.
    :param most_series: how many combinations of labels each worker counts apart; all further ones are counted as
        ``other``. Labels are for values that are few, never for ids.

    Raises :class:`ValueError` for a name or a label that Prometheus would not take.
    """

    def __init__(self, name: str, text: str, *, labels: Sequence[str] = (), most_series: int = 100) -> None:
        if wrong := [each for each in (name, *labels) if not _NAME.fullmatch(each)]:
            raise ValueError(f"{wrong[0]!r} is no name of a metric or label: lower-case letters, digits and _")
        self.name = name
        self.text = text
        self.labels = tuple(labels)
        self._most_series = most_series
        self._lock = Lock()
        self._series: dict[tuple[str, ...], Any] = {}
        self._metric: Any = None
        self.full_name = ""

    def belong_to(self, plugin: str, registry: CollectorRegistry) -> None:
        """Make the metric of a plugin. Raises :class:`ValueError` if it belongs to one already."""
        if self._metric is not None:
            raise ValueError(f"the metric {self.full_name} belongs to a plugin already")
        self.full_name = f"{PREFIX}_{re.sub('[^a-z0-9]', '_', plugin.lower())}_{self.name}"
        self._metric = self._make(self.full_name, registry)

    def _make(self, name: str, registry: CollectorRegistry) -> Any:
        """Return the library's metric."""
        raise NotImplementedError

    def _of(self, labels: Mapping[str, str]) -> Any:
        """Return the series of labels. Raises :class:`ValueError` for other labels than the declared ones."""
        if self._metric is None:
            raise RuntimeError(f"the metric {self.name!r} is in no plugin's `metrics`")
        if labels.keys() != set(self.labels):
            raise ValueError(f"{self.full_name} has the labels {list(self.labels)}, not {list(labels)}")
        if not labels:
            return self._metric
        key = tuple(str(labels[name])[:_LONGEST_VALUE] for name in self.labels)
        with self._lock:
            if key not in self._series:
                key = key if len(self._series) < self._most_series else (OTHER,) * len(key)
                self._series.setdefault(key, self._metric.labels(*key))
            return self._series[key]


class Counter(Metric):
    """A number that only grows; ``_total`` is added to its name."""

    def inc(self, amount: float = 1, /, **labels: str) -> None:
        """Add to the count."""
        self._of(labels).inc(amount)

    def _make(self, name: str, registry: CollectorRegistry) -> Any:
        return prometheus_client.Counter(name, self.text, self.labels, registry=registry)


class Gauge(Metric):
    """A number that grows and falls.

    :param combination: how the values of several workers become one; by default they are added.
    """

    def __init__(self, name: str, text: str, *, combination: Combination = "livesum", **options: Any) -> None:
        super().__init__(name, text, **options)
        self._combination = combination

    def set(self, value: float, /, **labels: str) -> None:
        """Set the value."""
        self._of(labels).set(value)

    def inc(self, amount: float = 1, /, **labels: str) -> None:
        """Add to the value; a negative amount takes off it."""
        self._of(labels).inc(amount)

    def _make(self, name: str, registry: CollectorRegistry) -> Any:
        return prometheus_client.Gauge(
            name, self.text, self.labels, registry=registry, multiprocess_mode=self._combination
        )


class Histogram(Metric):
    """A distribution, e.g. of seconds.

    :param buckets: the upper bounds of its buckets; by default those of the gateway's own seconds.
    """

    def __init__(self, name: str, text: str, *, buckets: Sequence[float] = SECONDS, **options: Any) -> None:
        super().__init__(name, text, **options)
        self._buckets = buckets

    def observe(self, value: float, /, **labels: str) -> None:
        """Count a value in its bucket."""
        self._of(labels).observe(value)

    def _make(self, name: str, registry: CollectorRegistry) -> Any:
        return prometheus_client.Histogram(name, self.text, self.labels, buckets=self._buckets, registry=registry)
