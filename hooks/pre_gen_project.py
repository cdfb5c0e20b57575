"""Refuses wrong answers that the prompts did not check.

They come from a replay file, or were given by hand for a private variable.
"""

import sys

refusal = {{ cookiecutter | problem | tojson }}
if refusal:
    sys.exit(refusal)
