"""The adapters: one module or package for each outside system."""
