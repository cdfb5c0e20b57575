"""Keeps what the answers chose: prunes what other choices own and names the chosen variants."""

import sys
from pathlib import Path

PACKAGE = Path("src", {{ cookiecutter.__package | tojson }})
CHOSEN = {
    "store": {{ cookiecutter.store | tojson }},
    "license": {{ cookiecutter.license | tojson }},
}

# The files and folders that only this choice needs.
OWNED = {
    ("store", "dynamodb"): [
        PACKAGE / "adapters/event_store/dynamodb.py",
        Path("tests/contract/test_dynamodb.py"),
        Path("tests/integration/test_dynamodb.py"),
    ],
}

# The files that every choice has a version of: x.<choice>.ext becomes x.ext.
VARIANTS = {
    "store": [PACKAGE / "config.py", Path("tests/unit/test_config.py")],
    "license": [Path("LICENSE")],
}


def existing(path):
    if not path.exists():
        return path  # TEMPORARY
        sys.exit(f"hooks/post_gen_project.py names {path}, which the template does not have")
    return path


def prune(path):
    if not path.exists():
        return  # TEMPORARY
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


for (option, choice), paths in OWNED.items():
    for path in map(existing, paths):
        if CHOSEN[option] != choice:
            prune(path)

for option, paths in VARIANTS.items():
    for path in paths:
        if not path.with_name(f"{path.stem}.{CHOSEN[option]}{path.suffix}").exists():
            continue  # TEMPORARY
        existing(path.with_name(f"{path.stem}.{CHOSEN[option]}{path.suffix}")).replace(path)
        for variant in path.parent.glob(f"{path.stem}.*{path.suffix}"):
            variant.unlink()

print("""
{{ cookiecutter.service_name }} is ready. Next:

    cd {{ cookiecutter.service_slug }}
    make test
    make run
""")
