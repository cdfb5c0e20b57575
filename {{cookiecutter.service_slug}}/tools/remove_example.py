"""`make remove-example`: takes the example out of a service that has an aggregate of its own, as
`make new-aggregate` makes one.

It removes the example's folders, routes, read models, golden files and tests, and its lines in the
open lists. README.md and AGENTS.md then speak of another aggregate, the first by its name that has
routes. The port `FileStore` stays: its adapters and settings belong to the service.
"""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path("src/{{ cookiecutter.__package }}")
API = SOURCE / "entrypoints/api"
TESTS = Path("tests")
DOCUMENTS = (Path("README.md"), Path("AGENTS.md"))


@dataclass(frozen=True)
class Names:
    """What an aggregate is called, in each place."""

    snake: str
    cls: str
    plural: str
    url: str

    @property
    def words(self) -> str:
        return self.snake.replace("_", " ")


EXAMPLE = Names(
    snake="{{ cookiecutter.__aggregate_snake }}",
    cls="{{ cookiecutter.__aggregate }}",
    plural="{{ cookiecutter.__plural_snake }}",
    url="{{ cookiecutter.aggregate_plural }}",
)
OWNED = [
    SOURCE / "domain" / EXAMPLE.snake,
    SOURCE / "service" / EXAMPLE.snake,
    API / f"{EXAMPLE.plural}.py",
    TESTS / f"unit/test_{EXAMPLE.snake}.py",
    TESTS / f"unit/test_{EXAMPLE.snake}_rules.py",
    TESTS / "e2e/test_flow.py",
    TESTS / "e2e/test_server.py",
    TESTS / f"e2e/test_{EXAMPLE.plural}.py",
]
LISTS = SOURCE / "bootstrap.py"
STORE = """\
The store is as it was. Events of the example stay in it: `feed` shows them as unknown, `export` and
`import` carry them, read models pass over them, `history` and `state` refuse their streams.
Commands of the example that wait stay open: before you deploy, `pending` and `dead-letters list`
should show none."""
NO_START = "It does not start any more (`git reset --hard` takes back what was removed)"
FIRST = SOURCE / "entrypoints/cli/streams.py"  # an id without a name is one of this aggregate's
DIAGRAM = r"(?<=^```mermaid\n)[\s\S]*?(?=^```$)"
SECTION = r"^## The example\n[\s\S]*?(?=^## )"  # of a document, up to the next one
PERMISSION = (  # to put files: a role has what it needs
    r"^ +- (?:Sid: Files\n +)?Effect: Allow\n +Action:\n +- \w+:PutObject\n +Resource: .*\n"
)


def main() -> None:
    if sys.argv[1:]:
        print(__doc__, STORE, sep="\n")
        return
    if not OWNED[0].exists():
        print(f"There is nothing to remove: the service has no {OWNED[0]}")
        return
    others = [name for name in aggregates() if name != EXAMPLE.snake]
    if not others:
        sys.exit("Nothing has changed: there is no other aggregate. First run make new-aggregate")
    if run("git", "status", "--porcelain", "--", ".", otherwise="Nothing has changed"):
        sys.exit("Nothing has changed: commit your changes first, so that git can take this back")
    known = [names_of(each) for each in others]
    other = next((each for each in known if (API / f"{each.plural}.py").exists()), known[0])
    removed = [*filter(Path.exists, OWNED), *golden_files()]
    for path in users(removed):
        if path.parent != API and not path.is_relative_to(TESTS):
            sys.exit(f"Nothing has changed: {path} uses the {EXAMPLE.words}. Change it first")
        if imported(path) != {EXAMPLE.snake}:
            sys.exit(f"Nothing has changed: {path} uses other aggregates, too. Divide it first")
        removed.append(path)
    remove(removed)
    for path, changes in edits(removed, other):
        edit(path, changes)
    print(f"README.md and AGENTS.md now speak of the {other.words}, as make new-aggregate made it.")
    report_what_is_left()
    print(STORE)


# What is the example's


def aggregates() -> list[str]:
    return sorted(path.parent.name for path in SOURCE.glob("domain/*/aggregate.py"))


def names_of(snake: str) -> Names:
    """The names of an aggregate that the service has, read from its modules."""
    code = (SOURCE / "domain" / snake / "aggregate.py").read_text("utf-8")
    found = re.findall(r"^class (\w+)\(\w*\.?Aggregate\b", code, re.MULTILINE)
    cls = found[0] if found else snake.title().replace("_", "")
    routes = [
        (path.stem, prefix[1])
        for path in sorted(API.glob("*.py"))
        if (prefix := re.search(r'prefix="/([^"]+)"', path.read_text("utf-8")))
        and f"commands.Create{cls}(" in path.read_text("utf-8")
    ]
    plural, url = routes[0] if routes else (f"{snake}s", f"{snake}s")
    return Names(snake, cls, plural, url)


def imported(path: Path) -> set[str]:
    """The aggregates whose domain or service this module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            dotted = [f"{node.module or ''}.{each.name}" for each in node.names]
        elif isinstance(node, ast.Import):
            dotted = [each.name for each in node.names]
        else:
            continue
        for name in dotted:
            found.update(re.findall(r"\b(?:domain|service)\.(\w+)", name))
    return found.intersection(aggregates())


def users(removed: list[Path]) -> list[Path]:
    """The other modules that import the example."""
    modules = [*SOURCE.rglob("*.py"), *TESTS.rglob("*.py")]
    return [
        path
        for path in sorted(modules)
        if path not in {FIRST, LISTS}
        and not any(path.is_relative_to(gone) for gone in removed)
        and EXAMPLE.snake in imported(path)
    ]


def golden_files() -> list[Path]:
    """The shapes of the example's messages, under their present and former names."""
    texts = [path.read_text("utf-8") for path in OWNED[0].glob("*.py")]
    names = {
        name
        for text in texts
        for pattern in (r"^class (\w+)", r'\bname="(\w+)"', r'\bUpcaster\(\s*"(\w+)"')
        for name in re.findall(pattern, text, re.MULTILINE)
    }
    return [
        path
        for path in sorted(TESTS.glob("golden/*.json"))
        if path.name.partition(".v")[0] in names
    ]


# What is done


def remove(paths: list[Path]) -> None:
    for path in paths:
        print(f"removed: {path}")
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


Edit = tuple[str, str]
"""A regular expression, and what takes the place of what it matches."""


def edits(removed: list[Path], other: Names) -> Iterator[tuple[Path, list[Edit]]]:
    """The other files that know the example. The pages come last, because they show how the
    service without the example is wired."""
    yield LISTS, [(rf"^ +{EXAMPLE.snake},\n", "")]
    yield API / "app.py", [(rf"^ +{path.stem},\n", "") for path in removed if path.parent == API]
    domain = (rf"(?<=\bdomain\.){EXAMPLE.snake}\b", other.snake)
    yield FIRST, [domain, (rf"(?<=\baggregate\.){EXAMPLE.cls}\b", other.cls)]
    for path in sorted(TESTS.glob("load/*.py")):
        yield path, [(rf'(?<="/){EXAMPLE.url}(?=")', other.url)]
    if not any(map(puts_files, SOURCE.rglob("*.py"))):
        for path in sorted([*Path().glob("*.yaml"), *Path("deploy").glob("*.yaml")]):
            yield path, [(PERMISSION, "")]
    diagram = f"{flow()}\n"
    for path in DOCUMENTS:
        yield path, [(SECTION, ""), *renamings(other), (DIAGRAM, diagram)]


def edit(path: Path, changes: list[Edit]) -> None:
    before = after = path.read_text("utf-8") if path.exists() else ""
    for pattern, text in changes:
        after = re.sub(pattern, text, after, flags=re.MULTILINE)
    if after != before:
        path.write_text(after, "utf-8")
        print(f"changed: {path}")


def puts_files(path: Path) -> bool:
    """Whether a module uses the port that the example uses."""
    is_ours = path == LISTS or path.parent.name in {"files", "ports"}
    return not is_ours and "FileStore" in path.read_text("utf-8")


def renamings(other: Names) -> list[Edit]:
    """The names of another aggregate in code and paths. Words of prose stay as they are."""
    old = EXAMPLE
    return [
        (rf"(?<=\bapi/){old.plural}\b", other.plural),
        (rf"(?<=/){old.url}\b", other.url),
        (rf"(?<=\brebuild ){old.plural}\b", other.plural),
        (rf"(?:(?<=domain/)|(?<=service/)){old.snake}\b", other.snake),
        (rf"(?<=\btest_){old.snake}\b", other.snake),
        (rf"\b{old.snake}_id\b", f"{other.snake}_id"),
        (rf"(?<=[.=]){old.cls}\b|\b{old.cls}(?=/)", other.cls),
        (rf"\b((?:[A-Z][a-z]+)+){old.cls}((?:[A-Z][a-z]+)*)\b", rf"\1{other.cls}\2"),
        (rf"\b{old.cls}((?:[A-Z][a-z]+)+)\b", rf"{other.cls}\1"),
    ]


def flow() -> str:
    """The wiring of the service, which is started for it."""
    package = SOURCE.name
    ask = f"""
from {package}.bootstrap import make_bus
from {package}.config import Settings
from {package}.entrypoints.api import app
from {package}.entrypoints.cli import flow
print(flow.mermaid(make_bus(Settings(store="memory")).registry))
"""
    return run(sys.executable, "-c", ask, otherwise=NO_START).strip()


def report_what_is_left() -> None:
    """Name the lines of pages and tests that still speak of the example."""
    cls, plural = EXAMPLE.cls, EXAMPLE.plural.replace("_", " ")
    words = rf"\b(?:{plural}|[A-Z][a-z]\w*{cls}|{cls}[A-Z]\w*)\b"
    pages = [*DOCUMENTS, Path("GUARANTEES.md"), Path("pyproject.toml")]
    for path in filter(Path.exists, [*pages, *sorted(TESTS.glob("*/test_*.py"))]):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(words, line) and not line.startswith('    "'):  # cruft's `skip`
                print(f"left to you: {path}:{number}: {line.strip()[:80]}")


def run(*command: str, otherwise: str) -> str:
    """What the command prints. If it fails, ends with this and the last line of its error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{otherwise}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


if __name__ == "__main__":
    main()
