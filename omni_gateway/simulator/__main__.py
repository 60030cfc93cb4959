"""``python -m omni_gateway.simulator``."""

import sys

from .main import main

sys.exit(main())
