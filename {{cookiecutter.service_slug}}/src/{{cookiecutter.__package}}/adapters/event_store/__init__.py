"""The event stores: each module has an `open_store(settings)` that returns its adapter."""
