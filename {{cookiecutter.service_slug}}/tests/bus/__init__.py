"""The specification of what is vendored: the bus, the stores and the shared entry points.

It stands on a domain of its own, `parcel`, so no aggregate of this service is named here. Like the
bus, it is never edited here: updates of the template replace it.
"""
