"""What an operation can be refused with, besides the errors of the model."""


class NotFound(Exception):
    """What was asked for is not there. The message says what there is."""
