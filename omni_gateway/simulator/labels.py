"""Label and annotation keys that Omni itself sets or reads."""

from __future__ import annotations

PREFIX = "omni.sidero.dev/"

ADDRESS = PREFIX + "address"
AVAILABLE = PREFIX + "available"
CLUSTER = PREFIX + "cluster"
CLUSTER_MACHINE = PREFIX + "cluster-machine"
CLUSTER_UUID = PREFIX + "cluster-uuid"
CONNECTED = PREFIX + "connected"
DISABLED = PREFIX + "disabled"
DISCONNECTED = PREFIX + "disconnected"
HOSTNAME = PREFIX + "hostname"
INFRA_PROVIDER = PREFIX + "infra-provider-id"
INSTALLED = PREFIX + "installed"
MACHINE = PREFIX + "machine"
MACHINE_REQUEST_SET = PREFIX + "machine-request-set"
MACHINE_SET = PREFIX + "machine-set"
MANAGED_BY_NODE_CONTROLLER = PREFIX + "managed-by-machine-set-node-controller"
NO_MANUAL_ALLOCATION = PREFIX + "no-manual-allocation"
NODE_NAME = PREFIX + "node-name"
READY_TO_USE = PREFIX + "ready-to-use"
REPORTING_EVENTS = PREFIX + "reporting-events"
ROLE_CONTROL_PLANE = PREFIX + "role-controlplane"
ROLE_WORKER = PREFIX + "role-worker"
SYSTEM_PATCH = PREFIX + "system-patch"
TAINTED_BY_BREAK_GLASS = PREFIX + "tainted-by-break-glass"
TAINTED_BY_IMPORT = PREFIX + "tainted-by-importing"
TALOS_VERSION = PREFIX + "talos-version"

# Annotations: only their presence counts, the value is empty.
CLUSTER_LOCKED = PREFIX + "cluster-locked"
KERNEL_ARGS_INITIALIZED = PREFIX + "kernel-args-initialized"
LOCKED = PREFIX + "locked"
PLATFORM_TAGS_INITIALIZED = PREFIX + "platform-tag-labels-initialized"
UNIQUE_TOKEN = PREFIX + "created-with-unique-token"

# An annotation with Unix seconds.
BREAK_GLASS_TIMESTAMP = PREFIX + "tainted-by-break-glass-timestamp"
