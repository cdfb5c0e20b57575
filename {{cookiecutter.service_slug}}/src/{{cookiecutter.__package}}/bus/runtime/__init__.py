"""The runtime: runs the model on a store."""
