"""The object, the query and look-ups of Omni's objects; knows no HTTP."""
