"""Makes the service that was chosen out of one that has everything.

options.toml says what each option owns. option_table.py makes a plan of it, for these answers. There is no
pathlib, because importing it takes as long as the start of Python itself.
"""

import os
import sys

PLAN = {{ cookiecutter | plan | tojson }}


def delete(path):
    if os.path.isdir(path) and not os.path.islink(path):
        for name in os.listdir(path):
            delete(os.path.join(path, name))
        os.rmdir(path)
    elif os.path.lexists(path):  # most were never written, see names.py
        os.remove(path)


def add_to_list(path, opening, line):
    """Insert the line before the first one that sorts after it, unless the list has it already."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    openings = [number for number, each in enumerate(lines) if each.startswith(opening)]
    if not openings:
        sys.exit(f"options.toml: {path} has no list {opening!r}")
    start, line = openings[0] + 1, f"    {line}"
    end = next(number for number in range(start, len(lines)) if lines[number].startswith(")"))
    if line not in lines[start:end]:
        place = next((number for number in range(start, end) if lines[number] > line), end)
        lines.insert(place, line)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines))


for path in PLAN["delete"]:
    delete(path)
    folder = os.path.dirname(path)
    if os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)

for variant, path in PLAN["rename"]:
    os.replace(variant, path)

for path, opening, line in PLAN["add"]:
    add_to_list(path, opening, line)

print("""
{{ cookiecutter.service_name }} is ready. Next:

    cd {{ cookiecutter.service_slug }}
    make test
    make run
""")
