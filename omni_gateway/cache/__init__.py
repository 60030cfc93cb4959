"""What a process knows of Omni's objects from watches, so that reads need no call.

``registry.Informers`` follows a type from its first read on, one watch for each; ``cached.CachedResources`` answers
reads from it where that is the truth, and asks Omni where it is not.
"""
