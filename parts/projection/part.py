"""Loads the module that the parts share, from the parent folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from growth import Growth as Part

__all__ = ["Part"]
