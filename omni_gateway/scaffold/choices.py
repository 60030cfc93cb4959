"""What an author chooses from; apart, so that the command line has it without importing the rest."""

from __future__ import annotations

#: An Omni type; objects in a database of the plugin's own; computed documents and actions without objects.
KINDS = ("omni-type", "own-backend", "service")
LICENCES = ("Apache-2.0", "MIT")
GROUP = "Other resources"
