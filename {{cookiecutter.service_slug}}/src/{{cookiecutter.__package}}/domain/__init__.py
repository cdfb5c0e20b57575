"""The business: aggregates, their commands, events and refusals. Imports the bus and nothing else."""
