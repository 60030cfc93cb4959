"""Adapters: the interface between the REST layer and the back end of a resource."""
