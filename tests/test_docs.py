"""The documentation hangs together: links lead somewhere, and drawings show the wiring as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from .support import ENVIRONMENT, TEMPLATE, BakedProject, own_config

DOCS = TEMPLATE / "docs"
PAGES = [TEMPLATE / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NODE = re.compile(r"(\w+)(?:[\[(]+\"?(.+?)\"?[\])]+)?(?::::\w+)?")
Edges = set[tuple[str, str]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TEMPLATE).as_posix())
def test_its_links_lead_to_pages_and_headings_that_are_there(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if not link.startswith(("https://", "http://", "mailto:")):
            path, _, heading = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert target.is_relative_to(TEMPLATE), link
            if heading:
                assert heading in headings(target), link


@pytest.mark.parametrize("folder", ["how-to", "decisions"])
def test_the_index_names_every_page_once(folder: str) -> None:
    index = DOCS / ("decisions/README.md" if folder == "decisions" else "README.md")
    linked = [index.parent / link for link in LINK.findall(prose(index))]
    listed = sorted(each for each in linked if each.parent.name == folder and each != index)
    pages = sorted(each for each in (DOCS / folder).glob("*.md") if each.name != "README.md")
    assert [page for page in listed if page.name != "README.md"] == pages


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set[Path](), [TEMPLATE / "README.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        links = {
            (page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(page))
        }
        todo += [link for link in links - reached if link in PAGES]
    assert reached == set(PAGES)


def test_answers_are_replayed_as_the_readme_says(tmp_path: Path) -> None:
    kept = tmp_path / "replay" / f"{TEMPLATE.name}.json"
    answers = ("--no-input", "service_name=Parcel Service", "aggregate_name=Parcel", "store=sqlite")
    rendered = [
        render(tmp_path, "first", *answers),
        render(tmp_path, "second", "--replay"),
        render(tmp_path, "third", f"--replay-file={shutil.copy(kept, tmp_path / 'answers.json')}"),
    ]
    assert rendered[0] == rendered[1] == rendered[2]
    assert "src/parcel_service/config.py" in rendered[0]


def render(folder: Path, name: str, *options: str) -> dict[str, bytes]:
    """What cookiecutter renders, as it is called on the command line."""
    config = f"--config-file={own_config(folder)}"
    command = [str(ENVIRONMENT / "cookiecutter"), str(TEMPLATE), config, *options]
    subprocess.run([*command, "-o", str(folder / name)], check=True, stdout=subprocess.DEVNULL)
    service = folder / name / "parcel-service"
    files = [path for path in service.rglob("*") if path.is_file()]
    return {path.relative_to(service).as_posix(): path.read_bytes() for path in files}


def test_each_decision_says_why_at_what_price_and_instead_of_what() -> None:
    for page in (DOCS / "decisions").glob("0*.md"):
        said = re.findall(r"^\*\*(\w+)\.\*\*", page.read_text(), re.MULTILINE)
        assert said == ["Context", "Decision", "Consequences", "Alternatives"], page
        assert page.read_text().startswith(f"# {int(page.name[:4])}. ")


def test_the_concepts_show_what_flow_prints(baked: dict[str, BakedProject]) -> None:
    drawn = [
        each for each in MERMAID.findall((DOCS / "concepts.md").read_text()) if "outside" in each
    ]
    assert drawn == [flow(baked["sqlite"])]


def test_the_picture_in_the_readme_is_what_flow_prints_without_the_handlers(
    baked: dict[str, BakedProject],
) -> None:
    (drawn,) = MERMAID.findall((TEMPLATE / "README.md").read_text())
    wired = edges(flow(baked["sqlite"]))
    handlers = {node for edge in wired for node in edge if "When" in node or "Handler" in node}
    past = {
        (source, target)
        for source, handler in wired
        for also, target in wired
        if handler == also and handler in handlers
    }
    assert edges(drawn) == past | {("POST /orders", "CreateOrder")}
    assert ("outside", "CreateOrder") in wired


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("C1 --> E1", "C2 --> E1"),
        ('"OrderFailed"', '"OrderLost"'),
        ("    C2 --> F", "    C1 --> F"),
        ("C3 --> E3", "C3"),
    ],
)
def test_another_picture_has_other_edges(right: str, wrong: str) -> None:
    (drawn,) = MERMAID.findall((TEMPLATE / "README.md").read_text())
    assert right in drawn
    assert edges(drawn.replace(right, wrong)) != edges(drawn)


def flow(project: BakedProject) -> str:
    run = "from order_service.entrypoints.cli import main; raise SystemExit(main(['flow']))"
    return project.run("python", "-c", run, PYTHONPATH="src")


def edges(chart: str) -> Edges:
    """What leads to what in a flowchart, by what is written on the nodes."""
    labels: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    for line in chart.splitlines():
        parts = [NODE.fullmatch(part.strip()) for part in re.split(r"-->|-\.->", line)]
        nodes = [node for node in parts if node]
        labels |= {node[1]: node[2] for node in nodes if node[2]}
        found += [(one[1], next_[1]) for one, next_ in pairwise(nodes)]
    return {(labels.get(one, one), labels.get(next_, next_)) for one, next_ in found}


def prose(page: Path) -> str:
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def headings(page: Path) -> set[str]:
    """The names by which headings are linked to."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}
