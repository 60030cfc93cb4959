"""Background tasks of plugins: in each worker, or in one worker of the whole deployment."""

from omni_gateway.tasks.runner import Tasks
from omni_gateway.tasks.task import Task, TaskContext

__all__ = ["Task", "TaskContext", "Tasks"]
