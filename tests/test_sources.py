"""The template renders the same from a folder, a zip, a git repository and through cruft."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cruft
import pytest

from .history import command, commit, git
from .history import cruft as run_cruft
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


def test_two_versions_of_the_rules_from_one_place_are_each_applied(
    template: Path, tmp_path: Path
) -> None:
    """`cruft update` writes one over the other, and byte code knows them by size and second alone."""
    rules, written = template / "answers.py", (template / "answers.py").stat()
    config = str(own_config(tmp_path))
    for word in ("before", "later!"):
        text = re.sub(
            r"(?<=def words\(snake: str\) -> str:\n    return ).*", f'"{word}"', rules.read_text()
        )
        rules.write_text(text)
        os.utime(rules, ns=(written.st_atime_ns, written.st_mtime_ns))
        rendering = ("--no-input", "--config-file", config, "--output-dir", word, "store=sqlite")
        command(tmp_path, str(ENVIRONMENT / "cookiecutter"), str(template), *rendering)
        (readme,) = tmp_path.glob(f"{word}/*/README.md")
        assert word in readme.read_text()


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

    run_cruft(folder, "update", "--skip-apply-ask")

    updated = project.contents()
    assert updated.pop("NEWS") == b"TAKES ORDERS, PROCESSES THEM AND ARCHIVES THE RESULT.\n"
    state = json.loads(updated.pop(".cruft.json"))
    assert state["context"]["cookiecutter"]["store"] == "sqlite"
    assert updated == created
