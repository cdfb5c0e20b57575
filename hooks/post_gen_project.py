"""Makes the service that was chosen out of one that has everything.

options.toml says what each option owns. option_table.py makes a plan of it, for these answers.
"""

import sys
from pathlib import Path

PLAN = {{ cookiecutter | plan | tojson }}


def existing(name):
    path = Path(name)
    if not path.exists():
        sys.exit(f"options.toml names {path}, which the template does not have")
    return path


def delete(path):
    if path.is_dir() and not path.is_symlink():
        for each in path.iterdir():
            delete(each)
        path.rmdir()
    else:
        path.unlink()


def add_to_list(path, opening, line):
    """Insert the line before the first one that sorts after it, unless the list has it already."""
    lines = path.read_text("utf-8").split("\n")
    openings = [number for number, each in enumerate(lines) if each.startswith(opening)]
    if not openings:
        sys.exit(f"options.toml: {path} has no list {opening!r}")
    start, line = openings[0] + 1, f"    {line}"
    end = next(number for number in range(start, len(lines)) if lines[number].startswith(")"))
    if line not in lines[start:end]:
        place = next((number for number in range(start, end) if lines[number] > line), end)
        lines.insert(place, line)
        path.write_text("\n".join(lines), "utf-8", newline="\n")


for path in map(existing, PLAN["delete"]):
    delete(path)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()

for variant, path in PLAN["rename"]:
    existing(variant).replace(path)

for path, opening, line in PLAN["add"]:
    add_to_list(existing(path), opening, line)

print("""
{{ cookiecutter.service_name }} is ready. Next:

    cd {{ cookiecutter.service_slug }}
    make test
    make run
""")
