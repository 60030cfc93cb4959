"""The gateway's own routes: index, health, metrics, operations, can-i, apply and resources of any type."""
