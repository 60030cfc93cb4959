"""What a plugin may bring besides routes: settings, tasks, health checks, tables."""

from omni_gateway.http.readiness import CheckFailed
from omni_gateway.rest.health_check import HealthCheck
from omni_gateway.store import PluginTables, Tables, TablesError
from omni_gateway.tasks import PluginContext, Task, TaskContext
from omni_gateway.variables import setting

__all__ = [
    "CheckFailed",
    "HealthCheck",
    "PluginContext",
    "PluginTables",
    "Tables",
    "TablesError",
    "Task",
    "TaskContext",
    "setting",
]
