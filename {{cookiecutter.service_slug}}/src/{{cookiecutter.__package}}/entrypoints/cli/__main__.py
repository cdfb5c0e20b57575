"""The command line, as `python -m`."""

import sys

from .program import main

sys.exit(main())
