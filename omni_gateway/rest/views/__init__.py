"""Views and routes of a plugin's declaration: one module per verb."""
