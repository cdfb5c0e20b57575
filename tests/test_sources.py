"""The template renders the same from a folder, a zip, a git repository and through cruft."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cruft
import pytest

from .support import (
    COMBINATIONS,
    ENVIRONMENT,
    LEFT_BY_TOOLS,
    TEMPLATE,
    BakedProject,
    bake,
    own_config,
)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The template as somebody else has it: a copy without what this machine made."""
    without = shutil.ignore_patterns(*LEFT_BY_TOOLS)
    return Path(shutil.copytree(TEMPLATE, tmp_path / "template", ignore=without))


@pytest.fixture
def repository(template: Path) -> Path:
    git(template, "init", "--quiet", "--initial-branch=main")
    commit(template, "Template")
    return template


def test_it_renders_from_a_zip(
    template: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    archive = shutil.make_archive(
        str(tmp_path / "archive"), "zip", template.parent, base_dir=template.name
    )
    assert bake(tmp_path, archive).contents() == baked["defaults"].contents()


def test_it_renders_from_git(
    repository: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    project = bake(tmp_path, f"file://{repository}")
    assert project.contents() == baked["defaults"].contents()


def test_cruft_creates_a_service_and_updates_it_to_a_newer_template(
    repository: Path, tmp_path: Path, baked: dict[str, BakedProject]
) -> None:
    folder = cruft.create(
        str(repository),
        output_dir=tmp_path,
        config_file=own_config(tmp_path),
        extra_context=COMBINATIONS["sqlite"],
    )
    project = replace(baked["sqlite"], path=folder)
    created = project.contents()
    del created[".cruft.json"]
    assert created == baked["sqlite"].contents()

    git(folder, "init", "--quiet")
    commit(folder, "Service")
    rules = (repository / "answers.py").read_text()
    rules = rules.replace(" quoted,\n", " quoted,\n            shouted,\n")
    rules += "\n\ndef shouted(text):\n    return text.upper()\n"
    (repository / "answers.py").write_text(rules)
    service = repository / "{{cookiecutter.service_slug}}"
    (service / "NEWS").write_text("{{ cookiecutter.description | shouted }}\n")
    commit(repository, "A new file, through a new filter")

    command(folder, str(ENVIRONMENT / "cruft"), "update", "--skip-apply-ask")

    updated = project.contents()
    assert updated.pop("NEWS") == b"TAKES ORDERS, PROCESSES THEM AND ARCHIVES THE RESULT.\n"
    state = json.loads(updated.pop(".cruft.json"))
    assert state["context"]["cookiecutter"]["store"] == "sqlite"
    assert updated == created


def test_cruft_brings_the_files_of_another_store(repository: Path, tmp_path: Path) -> None:
    folder = cruft.create(
        str(repository),
        output_dir=tmp_path,
        config_file=own_config(tmp_path),
        extra_context={"store": "sqlite"},
    )
    readme = folder / "README.md"
    readme.write_text(f"{readme.read_text()}In our own words.\n")
    git(folder, "init", "--quiet")
    commit(folder, "Service")
    to_postgres = json.dumps({"store": "postgres"})
    options = ["--skip-apply-ask", "--variables-to-update", to_postgres]
    command(folder, str(ENVIRONMENT / "cruft"), "update", *options)

    expected = bake(tmp_path, store="postgres")
    swapped = replace(expected, path=folder).contents()
    del swapped[".cruft.json"]
    assert swapped.pop("README.md").endswith(b"In our own words.\n")
    del (wanted := expected.contents())["README.md"]
    assert swapped == wanted


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    command(folder, "git", *identity, "-c", "commit.gpgsign=false", *arguments)


def command(folder: Path, *arguments: str) -> None:
    outcome = subprocess.run(
        arguments,
        cwd=folder,
        env=os.environ | {"HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
