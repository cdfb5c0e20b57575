"""What is rendered is complete, holds nothing of what was not chosen, and is clean by its own rules."""

from __future__ import annotations

import ast
import fnmatch
import json
import re
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter

from answers import checked
from option_table import OPTIONS

from .support import COMBINATIONS, PROMPTS, TEMPLATE, BakedProject, bake, own_config


def test_exactly_the_files_of_the_tree_and_of_what_was_chosen_are_rendered(
    project: BakedProject,
) -> None:
    assert project.files == expected_files(project)


def test_nothing_is_left_unrendered(project: BakedProject) -> None:
    for path in project.walk():
        assert "cookiecutter" not in str(path.relative_to(project.path))
        text = path.read_text()
        assert not re.search(r"cookiecutter\.(?!json)", text), path
        # GitHub's own expressions are `${{ }}`, CloudFormation's `{{resolve:...}}`
        assert not re.search(r"(?<!\$)\{\{(?!resolve:)|\{%|\{#", text), path


def test_nothing_is_left_of_what_was_not_chosen(project: BakedProject) -> None:
    texts = {path: content.decode() for path, content in project.contents().items()}
    for option in OPTIONS:
        if option.words and not option.is_chosen(project.answers):
            pattern = re.compile(option.words, re.IGNORECASE | re.MULTILINE)
            for path, text in texts.items():
                assert not pattern.search(path)
                assert not pattern.search(text), path


def test_every_row_of_the_table_says_what_it_is_and_what_chooses_it() -> None:
    for option in OPTIONS:
        assert re.fullmatch(r"[A-Z].*\.", option.about)
        assert option.when.keys() <= PROMPTS.keys()


def test_the_chosen_python_is_what_runs_it_everywhere(project: BakedProject) -> None:
    version = project.answers["python_version"]
    workflow = (project.path / ".github/workflows/test.yml").read_text()
    assert set(re.findall(r'python-version: "(.*)"', workflow)) == {version}
    assert f"ARG PYTHON={version}\n" in (project.path / "Dockerfile").read_text()
    template = project.path / "template.yaml"
    if template.exists():
        assert re.findall(r"Runtime: (.*)", template.read_text()) == [f"python{version}"]


def test_a_choice_selects_files_and_never_lines_of_python() -> None:
    service = TEMPLATE / "{{cookiecutter.service_slug}}"
    for path in service.rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"\{%|\{#", text), path
        top, *below = path.relative_to(service).parts
        if top == "src" and {"bus", "adapters"}.intersection(below[:3]):
            assert "{{" not in text, path


def test_what_is_vendored_names_nothing_of_the_owner(baked: dict[str, BakedProject]) -> None:
    """Neither the aggregate, whatever it is called, nor the folders that hold it. `Unavailable` is
    the one thing below `service/` that the entry points know as well."""
    zoo = baked["zebra"]
    vendored = [path for path in zoo.walk() if path.is_relative_to(zoo.path / "tests/bus")]
    assert len(vendored) > 80
    theirs = rf"zebra|\b{zoo.package}\.(domain|service)\b(?!\.ports import Unavailable$)"
    for path in vendored:
        found = re.search(theirs, path.read_text(), re.IGNORECASE | re.MULTILINE)
        assert not found, f"{path}: {found}"


@pytest.mark.parametrize("pattern", PROMPTS["_copy_without_render"])
def test_what_is_copied_as_it_stands_holds_no_name(pattern: str) -> None:
    service = TEMPLATE / "{{cookiecutter.service_slug}}"
    paths = {str(path.relative_to(service)): path for path in service.rglob("*") if path.is_file()}
    copied = fnmatch.filter(paths, pattern) + fnmatch.filter(paths, f"{pattern}/*")
    assert copied, "nothing is"
    for path in copied:
        assert not re.search(r"cookiecutter\.|\{%|\{#", paths[path].read_text()), path


def test_no_folder_is_empty(project: BakedProject) -> None:
    for folder in project.path.rglob("*/"):
        assert any(folder.iterdir()), folder


def test_every_configuration_file_parses(project: BakedProject) -> None:
    for path in project.walk():
        if path.suffix == ".toml":
            tomllib.loads(path.read_text())
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix in {".yaml", ".yml"} and "AWSTemplateFormat" not in path.read_text():
            list(yaml.safe_load_all(path.read_text()))


def test_description_and_author_arrive_as_they_were_written(
    baked: dict[str, BakedProject],
) -> None:
    answers = COMBINATIONS["longest"]
    metadata = tomllib.loads((baked["longest"].path / "pyproject.toml").read_text())["project"]
    assert metadata["description"] == answers["description"]
    assert metadata["authors"] == [{"name": answers["author_name"]}]
    assert answers["author_name"] in (baked["longest"].path / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("name", "spdx", "opening"),
    [
        ("defaults", "MIT", "MIT License"),
        ("zebra", "Apache-2.0", "Apache License"),
        ("sqlite", "LicenseRef-Proprietary", "Copyright (c) Your Name. All rights reserved."),
    ],
)
def test_the_chosen_licence_is_rendered(
    baked: dict[str, BakedProject], name: str, spdx: str, opening: str
) -> None:
    metadata = tomllib.loads((baked[name].path / "pyproject.toml").read_text())["project"]
    assert metadata["license"] == spdx
    assert (baked[name].path / "LICENSE").read_text().strip().startswith(opening)


def test_formatting_and_lint_are_clean_as_rendered(project: BakedProject) -> None:
    project.run("ruff", "format", "--check", "--diff", "--no-cache")
    project.run("ruff", "check", "--no-cache")


def test_types_are_strict_and_clean_as_rendered(
    project: BakedProject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # What mypy found out about the dependencies serves every project that this process checks.
    cache = tmp_path_factory.getbasetemp() / "mypy"
    project.run("mypy", f"--cache-dir={cache}")


def test_the_environment_file_names_every_setting_and_its_default(project: BakedProject) -> None:
    settings = f"""
import json, {project.package}.config as config
print(json.dumps({{name.upper(): str(field.default if field.default is not None else "")
    for name, field in config.Settings.model_fields.items()}}))
"""
    defaults = json.loads(project.run("python", "-c", settings, PYTHONPATH="src"))
    written = (project.path / ".env.example").read_text()
    assert dict(re.findall(r"^# ([A-Z0-9_]+)=(.*)$", written, re.MULTILINE)) == defaults


def test_each_module_of_settings_is_listed_and_no_field_is_declared_twice(
    project: BakedProject,
) -> None:
    package = project.path / "src" / project.package
    subjects = {path.stem: ast.parse(path.read_text()) for path in package.glob("settings/[!_]*")}
    mixins, checks, fields = [], [], Counter[str]()
    for name, subject in subjects.items():
        for node in subject.body:
            match node:
                case ast.ClassDef():
                    mixins.append(f"{name}.{node.name}")
                    declared = [each for each in node.body if isinstance(each, ast.AnnAssign)]
                    fields.update(ast.unparse(each.target) for each in declared)
                case ast.FunctionDef(name="check"):
                    checks.append(f"{name}.check")
    config = (package / "config.py").read_text()
    assert listed(config, "from .settings import (") == sorted(subjects)
    assert listed(config, "class Settings(") == ["BaseSettings", *sorted(mixins)]
    assert listed(config, "CHECKS = (") == sorted(checks)
    assert set(fields.values()) == {1}
    stores = sorted({"memory", "sqlite", project.store})
    written = listed((package / "settings/store.py").read_text(), "STORES = (")
    assert written == [f'"{store}"' for store in stores]


def test_what_is_rendered_over_itself_has_no_line_twice(tmp_path: Path) -> None:
    project = bake(tmp_path, store="dynamodb")
    before = project.contents()
    cookiecutter(
        str(TEMPLATE),
        no_input=True,
        extra_context={"store": "dynamodb"},
        output_dir=str(project.path.parent),
        config_file=str(own_config(tmp_path)),
        overwrite_if_exists=True,
        skip_if_file_exists=True,
    )
    assert project.contents() == before


def test_a_name_that_a_module_of_the_service_binds_is_refused_where_it_would_collide(
    baked: dict[str, BakedProject],
) -> None:
    """Wherever a module binds the aggregate's name, or its plural, its other names are taken."""
    collisions = 0
    for path in baked["zebra"].walk():
        bound = bound_names(path) if path.suffix == ".py" else set()
        for name in {word for word in bound if re.fullmatch("[a-z][a-z0-9_]{0,23}", word)}:
            if "zebra" in bound and name != "zebra":
                collisions += 1
                with pytest.raises(FailedHookException, match="is refused"):
                    checked({"aggregate_name": name.replace("_", " ")}, "aggregate_name")
            if "zebras" in bound and name != "zebras":
                collisions += 1
                answers = {"aggregate_name": "Zebra", "aggregate_plural": name.replace("_", "-")}
                with pytest.raises(FailedHookException, match="is refused"):
                    checked(answers, "aggregate_plural")
    assert collisions, "no module binds either: this test looks in the wrong place"


def test_rendering_again_gives_the_same_files(
    baked: dict[str, BakedProject],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    started = time.perf_counter()
    again = bake(tmp_path, **COMBINATIONS["longest"])
    record_property("rendering took", f"{time.perf_counter() - started:.2f} s")

    assert again.contents() == baked["longest"].contents()


def bound_names(path: Path) -> set[str]:
    """What the module itself binds: its imports, classes, functions and variables."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in imported}
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def listed(text: str, opening: str) -> list[str]:
    """The lines of a list, without indentation and comma."""
    (lines,) = re.findall(rf"^{re.escape(opening)}.*\n((?:    .*\n)*)\)", text, re.MULTILINE)
    return [line.strip(" ,") for line in lines.splitlines()]


def expected_files(project: BakedProject) -> set[str]:
    """Those of the template's tree, without those of options that were not chosen."""
    tree = TEMPLATE / "{{cookiecutter.service_slug}}"
    names = {
        "__package": project.package,
        "__aggregate": "".join(word.capitalize() for word in project.aggregate.split("_")),
        "__aggregate_snake": project.aggregate,
        "__plural_snake": project.plural,
    }
    expected = set()
    for path in tree.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(tree).as_posix()
            expected.add(re.sub(r"{{cookiecutter\.(\w+)}}", lambda each: names[each[1]], name))
    paths = {"package": project.package, "aggregate": project.aggregate, "plural": project.plural}
    for option in OPTIONS:
        for owned in (each.format(**paths) for each in (*option.files, *option.variants)):
            own = {path for path in expected if f"{path}/".startswith(f"{owned}/")}
            assert own or not option.is_chosen(project.answers), owned
            if not option.is_chosen(project.answers):
                expected -= own
    variants = [option.variants for option in OPTIONS if option.is_chosen(project.answers)]
    renamed = {variant: path for each in variants for variant, path in each.items()}
    return {renamed.get(path, path) for path in expected}
