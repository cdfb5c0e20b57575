"""How the outside reaches the bus: a request becomes a message, the outcome becomes a response."""
