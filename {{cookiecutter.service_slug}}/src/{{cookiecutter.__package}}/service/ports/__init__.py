"""What the service needs from outside, as Protocols, a module per port. `adapters/` holds what serves
them; PORTS in `bootstrap.py` names the two together."""


class Unavailable(Exception):
    """Something outside does not answer, or not as it should: nobody's mistake here, and a matter of
    time. A follow-up is tried again; a caller is asked to come back."""
