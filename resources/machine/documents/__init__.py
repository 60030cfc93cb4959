"""Documents that are computed of a machine: its metrics, its log, its Talos version."""
