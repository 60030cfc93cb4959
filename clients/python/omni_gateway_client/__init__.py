"""A typed client of omni-gateway: generated functions and models, and what is built on them."""

from .client import AuthenticatedClient
from .gateway import connect
from .operations import OperationFailed, OperationTimeout, wait
from .pages import items
from .problems import ProblemError
from .results import UnexpectedAnswer, result
from .retries import Retries
from .watches import Event, watch

__all__ = [
    "AuthenticatedClient",
    "Event",
    "OperationFailed",
    "OperationTimeout",
    "ProblemError",
    "Retries",
    "UnexpectedAnswer",
    "connect",
    "items",
    "result",
    "wait",
    "watch",
]
