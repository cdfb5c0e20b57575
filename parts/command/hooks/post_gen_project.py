"""Wires what was added: a line or a row in each place. A second run changes nothing."""

import sys

sys.path.insert(0, {{ cookiecutter._repo_dir | tojson }})
from part import changes
from wiring import wire

wire(changes({{ dict(cookiecutter) }}))
