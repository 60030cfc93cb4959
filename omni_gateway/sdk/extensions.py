"""What a plugin may bring besides routes: settings, tasks, health checks, tables."""

from omni_gateway.tasks import Task, TaskContext
from omni_gateway.variables import setting

__all__ = ["Task", "TaskContext", "setting"]
