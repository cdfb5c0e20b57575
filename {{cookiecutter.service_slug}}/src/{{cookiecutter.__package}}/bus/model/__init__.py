"""The model: what the owner of a service subclasses, and what handlers are given.

It imports neither the store nor the runtime. So a domain can be read and tested without either.
"""
