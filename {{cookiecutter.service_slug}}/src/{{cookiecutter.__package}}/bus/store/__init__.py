"""The store: the ports to it, by role, and what passes through them. Adapters implement these."""
