"""The checks of ``ResourceConformance``, a module for each kind of promise."""
