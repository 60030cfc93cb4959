"""Metrics of a plugin, at ``/metrics`` with the gateway's own."""

from omni_gateway.http.plugin_metrics import Counter, Gauge, Histogram

__all__ = ["Counter", "Gauge", "Histogram"]
