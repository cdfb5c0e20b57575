"""Metrics: the log line of a failure is its metric, too.

CloudWatch reads the number from the line itself: a member `_aws` says where it is (the embedded
metric format). The alarms of template.yaml watch these metrics, and a deployment that raises one of
them is rolled back.
"""

import os
import time
from collections.abc import MutableMapping
from typing import Any

from ...bus import StoreUnavailable

NAMESPACE = "{{ cookiecutter.service_slug }}"

PARKED = {"dead letter": "Parked", "dead letters": "DeadLetters"}
"""The lines that have a metric of their own. All other errors are `Failed`."""

LEVELS = {"warning": "warn", "critical": "fatal"}
"""What Lambda calls these levels. It takes a line of a level that it does not know for one at info,
and may drop it."""


def count(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: adds the metric to a line that is a failure. `Failed` is each line
    at level error, and each warning that the store or another system does not answer. What the
    service refuses is no failure: it is logged at info, or as a warning."""
    name = _metric(line)
    line["level"] = LEVELS.get(line["level"], line["level"])
    if name is None:
        return line
    metric = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    }
    line["FunctionName"] = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    line[name] = line.get("count", 1)
    line["_aws"] = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    return line


def _metric(line: MutableMapping[str, Any]) -> str | None:
    if line["level"] in ("error", "critical") or _is_outage(line):
        return PARKED.get(line["event"], "Failed")
    return None


def _is_outage(line: MutableMapping[str, Any]) -> bool:
    return line["event"] == "not available" or line.get("error") == StoreUnavailable.__name__
