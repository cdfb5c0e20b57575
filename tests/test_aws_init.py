"""`sam init` renders the template too, where SAM was installed by pip: it runs cookiecutter."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .aws import SAM, run_tool
from .support import TEMPLATE

pytestmark = pytest.mark.aws


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_sam_init_renders_a_service_that_sam_finds_valid(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / "template.zip"
    command = ["git", "archive", "--prefix=template/", f"--output={archive}", "HEAD"]
    subprocess.run(command, cwd=TEMPLATE, check=True)
    where = archive if kind == "zip" else TEMPLATE
    made = run_tool(
        SAM, "init", "--no-input", "--location", where, folder=tmp_path, HOME=str(tmp_path)
    )
    assert made.returncode == 0, made.stdout
    service = tmp_path / "order-service"
    assert (service / "src/order_service/entrypoints/aws/http.py").is_file()
    said = run_tool(SAM, "validate", "--lint", folder=service)
    assert "is a valid SAM Template" in said.stdout, said.stdout
