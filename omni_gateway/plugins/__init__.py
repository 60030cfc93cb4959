"""The plugins of an application: found and loaded, their settings, and the check of what they add to it."""
