"""The command line as a module: ``python -m omni_gateway.cli``."""

from omni_gateway.cli import main

main()
