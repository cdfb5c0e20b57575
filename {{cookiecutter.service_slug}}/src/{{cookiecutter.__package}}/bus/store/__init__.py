"""The store: its ports by role, and the values that pass through them. Adapters implement the
ports."""
