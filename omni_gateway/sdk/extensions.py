"""Extension points of a plugin besides its own routes, a class or two for each.

Settings, tables, background tasks and health checks; routes below other plugins' objects, functions that are called
with changes of Omni's objects, metrics, pages for browsers, commands.
"""

from omni_gateway.environment.variables import setting
from omni_gateway.http.plugin_metrics import Counter, Gauge, Histogram
from omni_gateway.http.readiness import CheckFailed
from omni_gateway.rest.change_handler import ChangeHandler
from omni_gateway.rest.extension import Extension
from omni_gateway.rest.health_check import HealthCheck
from omni_gateway.rest.plugin_pages import Page
from omni_gateway.settings.omni_client import omni_client
from omni_gateway.store import PluginTables, Tables, TablesError
from omni_gateway.tasks import PluginContext, Task, TaskContext
from omni_gateway.watch.change_follower import ObjectChange

__all__ = [
    "ChangeHandler",
    "CheckFailed",
    "Counter",
    "Extension",
    "Gauge",
    "HealthCheck",
    "Histogram",
    "ObjectChange",
    "Page",
    "PluginContext",
    "PluginTables",
    "Tables",
    "TablesError",
    "Task",
    "TaskContext",
    "omni_client",
    "setting",
]
