"""The use cases: what runs a command, what follows from an event, what answers a query."""
