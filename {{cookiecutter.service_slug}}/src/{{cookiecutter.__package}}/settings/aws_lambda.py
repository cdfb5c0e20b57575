"""AWS Lambda: no variable of its own, but a rule for STORE."""

import os

from . import store

LOST = ("memory", "sqlite")
"""The stores whose data a Lambda function loses, with its process or its disk."""


def check(settings: store.StoreSettings) -> None:
    """Refuses a store that would lose its data on Lambda. Raises `ValueError`."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and settings.store in LOST:
        lasting = " or ".join(f"STORE={name}" for name in store.STORES if name not in LOST)
        raise ValueError(f"STORE={settings.store} would lose data on Lambda: set {lasting}")
