"""Observability: what the service logs while it runs."""
