"""The model: what the owner of a service subclasses, and what their handlers are handed.

It imports neither the store nor the runtime: a domain that is written with it can be run by both, and
needs neither to be read or tested.
"""
