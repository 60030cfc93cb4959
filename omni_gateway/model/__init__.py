"""The object, the query and what is looked up of Omni; no HTTP."""
