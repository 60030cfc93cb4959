"""``/metrics/fleet``: the fleet's state, by the names of Omni's own metrics and of its exporter."""
