"""The command line of the service of parcels, as `python -m`."""

import sys

from {{ cookiecutter.__package }}.entrypoints.cli import main

from . import parcels

parcels.install(http="serve" in sys.argv)
sys.exit(main())
