"""The tools of AWS, as the tests of the deployment run them.

The tools are half a gigabyte, and live in environments of their own below .venv/tools.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from .support import ENVIRONMENT, TEMPLATE

TOOLS = TEMPLATE / ".venv/tools"
SAM = TOOLS / "sam/bin/sam"
QUIET = {
    "SAM_CLI_TELEMETRY": "0",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}

EXPAND = """
import json, sys
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

class NoManagedPolicies:
    def load(self): return {}

template = yaml_parse(open("template.yaml").read().replace("CodeUri: .", "CodeUri: s3://bucket/key"))
expanded = transform(template, {}, NoManagedPolicies())
json.dump(expanded, open("expanded.json", "w"), indent=1)
"""


def run_tool(
    *command: str | Path, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What a tool says, its exit code beside it."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=os.environ | QUIET | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@cache  # no folder is expanded before its template is as it stays
def expand(folder: Path) -> dict[str, Any]:
    """The template as CloudFormation gets it, after the SAM transform."""
    done = run_tool(TOOLS / "sam/bin/python", "-c", EXPAND, folder=folder)
    assert done.returncode == 0, done.stdout
    expanded: dict[str, Any] = json.loads((folder / "expanded.json").read_text())
    return expanded


def findings(folder: Path) -> list[str]:
    """What the linters have against the expanded template, by the service's own configuration."""
    linted = run_tool(
        *(TOOLS / "sam/bin/cfn-lint", "expanded.json", "--format", "parseable"),
        *("--append-rules", "cfn_lint_serverless.rules", "--regions", "eu-central-1"),
        folder=folder,
    )
    checked = run_tool(
        *(TOOLS / "checkov/bin/checkov", "--file", "expanded.json", "--skip-download"),
        *("--config-file", ".checkov.yaml", "--output", "json"),
        folder=folder,
    )
    report = json.loads(checked.stdout)
    failed = report["results"]["failed_checks"] if "results" in report else []
    return [*linted.stdout.splitlines(), *(f"{x['check_id']} {x['resource']}" for x in failed)]


def uv(*arguments: str | Path, **environment: str) -> str:
    """What uv prints."""
    done = run_tool(ENVIRONMENT / "uv", *arguments, folder=TEMPLATE, **environment)
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()
