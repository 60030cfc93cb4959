"""The embedded Omni: a real gRPC server with Omni's wire contract, rules, roles and lifecycles, and no machines."""
