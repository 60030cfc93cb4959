"""``python -m omni_gateway.simulator``."""

import sys

from omni_gateway.simulator.main import main

sys.exit(main())
