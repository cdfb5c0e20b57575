"""The ports: what the service needs from outside, as Protocols, a module for each.

`adapters/` implements them. PORTS in `bootstrap.py` pairs each port with its adapter.
"""


class Unavailable(Exception):
    """An outside system does not answer, or not as it should, for the moment. A follow-up is tried
    again; a caller is asked to come back."""
