"""Changes of Omni's objects, for functions of a plugin that act on them."""

from omni_gateway.rest.change_handler import ChangeHandler
from omni_gateway.watch.change_follower import ObjectChange

__all__ = ["ChangeHandler", "ObjectChange"]
