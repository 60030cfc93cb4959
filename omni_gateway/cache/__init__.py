"""Informers: a local copy of each Omni type that is read, kept current by one watch per type.

``informers.Informers`` starts an informer at the first read of a type; ``client.CachedResources`` answers reads from
it while it is known to be current, and forwards them to Omni otherwise.
"""
