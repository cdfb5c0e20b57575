"""The use cases: command handlers, event handlers, queries and projections."""
