"""Refuses answers that did not pass the prompts: a replay file, a private variable given by hand."""

import sys

refusal = {{ cookiecutter | problem | tojson }}
if refusal:
    sys.exit(refusal)
