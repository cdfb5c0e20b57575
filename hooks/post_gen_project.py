"""Applies the answers: removes files that other choices own, renames variants, adds lines to
lists."""

import shutil
import sys
from pathlib import Path

PACKAGE = Path("src", {{ cookiecutter.__package | tojson }})
CHOSEN = {
    "store": {{ cookiecutter.store | tojson }},
    "license": {{ cookiecutter.license | tojson }},
    "kubernetes": {{ cookiecutter.kubernetes | tojson }},
    "quality_extras": {{ cookiecutter.quality_extras | tojson }},
}

# The files and folders that only these choices need. A file comes before the folder that holds it.
OWNED = {
    ("store", "dynamodb"): [
        PACKAGE / "adapters/event_store/dynamodb",
        PACKAGE / "entrypoints/aws/stream.py",
        PACKAGE / "settings/dynamodb.py",
        Path("tests/bus/contract/test_dynamodb.py"),
        Path("tests/bus/contract/test_written_dynamodb.py"),
        Path("tests/bus/golden/1.0.0/dynamodb.json"),
        Path("tests/bus/crash/test_dynamodb.py"),
        Path("tests/bus/e2e/test_dynamodb_server.py"),
        Path("tests/bus/integration/test_aws_events.py"),
        Path("tests/integration/test_permissions.py"),
        Path("tests/bus/integration/test_permissions.py"),
        Path("tests/support/permissions.py"),
        Path("tests/support/lambda_functions.py"),
        Path("tests/bus/integration/test_dynamodb.py"),
        Path("tests/bus/integration/test_dynamodb_faults.py"),
        Path("tests/bus/support/dynamodb_cost.py"),
        Path("tests/bus/support/wire_faults.py"),
        Path("tests/bus/unit/test_config_dynamodb.py"),
    ],
    ("store", "dynamodb", "postgres"): [
        PACKAGE / "entrypoints/aws",
        PACKAGE / "settings/aws_lambda.py",
        Path(".cfnlintrc.yaml"),
        Path(".checkov.yaml"),
        Path("deploy/lambda.mk"),
        Path("deploy/package.py"),
        Path("samconfig.toml"),
        Path("tests/bus/e2e/events"),
        Path("tests/bus/e2e/test_aws_lambda.py"),
    ],
    ("store", "postgres"): [
        PACKAGE / "adapters/event_store/postgres",
        PACKAGE / "entrypoints/cli/old_snapshots.py",
        PACKAGE / "settings/postgres.py",
        Path("tests/bus/contract/test_feed_postgres.py"),
        Path("tests/bus/contract/test_postgres.py"),
        Path("tests/bus/contract/test_written_postgres.py"),
        Path("tests/bus/golden/1.0.0/postgres.json"),
        Path("tests/bus/crash/test_postgres.py"),
        Path("tests/bus/e2e/test_postgres_server.py"),
        Path("tests/bus/integration/test_aws_worker.py"),
        Path("tests/bus/support/postgres.py"),
        Path("tests/bus/support/proxy.py"),
        Path("deploy/kubernetes/base/migrate.yaml"),
    ],
    ("kubernetes", "yes"): [
        Path("deploy/kubernetes"),
    ],
    ("quality_extras", "yes"): [
        Path("tests/load"),
    ],
}

# The files that exist once for each choice: x.<choice>.ext becomes x.ext.
VARIANTS = {
    "store": [
        Path("template.yaml"),
    ],
    "license": [Path("LICENSE")],
}

# The lines that these choices add to lists: the file, the first line of the list, the new line.
CONFIG = PACKAGE / "config.py"
STATUS = PACKAGE / "entrypoints/cli/status.py"
LINES = {
    ("store", "dynamodb", "postgres"): [
        (CONFIG, "from .settings import (", "aws_lambda,"),
        (CONFIG, "CHECKS = (", "aws_lambda.check,"),
    ],
    ("store", "dynamodb"): [
        (CONFIG, "from .settings import (", "dynamodb,"),
        (CONFIG, "class Settings(", "dynamodb.DynamoDBSettings,"),
        (PACKAGE / "settings/store.py", "STORES = (", '"dynamodb",'),
    ],
    ("store", "postgres"): [
        (CONFIG, "from .settings import (", "postgres,"),
        (CONFIG, "class Settings(", "postgres.PostgresSettings,"),
        (STATUS, "from . import (", "old_snapshots,"),
        (STATUS, "LINES: tuple[", "old_snapshots.old_snapshots,"),
        (PACKAGE / "settings/store.py", "STORES = (", '"postgres",'),
    ],
}


def existing(path):
    if not path.exists():
        sys.exit(f"hooks/post_gen_project.py names {path}, which the template does not have")
    return path


def add_to_list(path, opening, line):
    """Insert the line before the first one that sorts after it, unless the list has it already."""
    lines = existing(path).read_text("utf-8").split("\n")
    openings = [number for number, each in enumerate(lines) if each.startswith(opening)]
    if not openings:
        sys.exit(f"hooks/post_gen_project.py: {path} has no list {opening!r}")
    start, line = openings[0] + 1, f"    {line}"
    end = next(number for number in range(start, len(lines)) if lines[number].startswith(")"))
    if line not in lines[start:end]:
        place = next((number for number in range(start, end) if lines[number] > line), end)
        lines.insert(place, line)
        path.write_text("\n".join(lines), "utf-8", newline="\n")


for (option, *choices), paths in OWNED.items():
    for path in map(existing, paths):
        if CHOSEN[option] not in choices:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

for option, paths in VARIANTS.items():
    for path in paths:
        variants = list(path.parent.glob(f"{path.stem}.*{path.suffix}"))
        for variant in variants or [existing(path)]:
            if variant.name == f"{path.stem}.{CHOSEN[option]}{path.suffix}":
                variant.replace(path)
            else:
                variant.unlink()

for (option, *choices), lines in LINES.items():
    for path, opening, line in lines:
        if CHOSEN[option] in choices:
            add_to_list(path, opening, line)

print("""
{{ cookiecutter.service_name }} is ready. Next:

    cd {{ cookiecutter.service_slug }}
    make test
    make run
""")
