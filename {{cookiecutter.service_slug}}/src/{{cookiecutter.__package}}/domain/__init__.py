"""The business: aggregates, their commands, events and errors. It imports only the bus."""
