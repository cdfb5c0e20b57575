"""The runtime: what moves messages between the model and the store."""
