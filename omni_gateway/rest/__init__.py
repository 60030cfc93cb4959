"""From a plugin's declaration to REST over HTTP."""
