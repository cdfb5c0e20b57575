"""The benchmarks measure in turns, and say what is so: a miss is a miss, and nothing stands for what could not run."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import svg
from benchmarks.__main__ import main
from benchmarks.ground import Contender, Ground
from benchmarks.measure import CouldNotRun, Measured, Spread, Turn, interleave
from benchmarks.parts import append, bus
from benchmarks.report import Limit, Part, Report, as_json, as_markdown, as_text

TEMPORARY = tempfile.gettempdir()  # before the tests have one of their own

SLOW = """
        import punq
        if "container" not in vars(self):
            self.container = punq.Container()
            for each in self.registry.commands.values():
                self.container.register(type(each))
        handler = self.container.resolve(type(handler))
"""
SECOND_WRITE = """
                connection.execute("INSERT INTO cells (name, text) VALUES (%s, '')", [commit.command_id])
"""


def test_contenders_take_turns() -> None:
    order: list[str] = []

    def turn(name: str, each: float) -> Turn:
        def taken(n: int) -> float:
            order.append(name)
            return n * each

        return taken

    measured = interleave({"a": turn("a", 0.5), "b": turn("b", 2.0)}, rounds=3, seconds=1)

    assert order[-6:] == ["a", "b", "b", "a", "a", "b"]
    assert measured.seconds == {"a": [0.5] * 3, "b": [2.0] * 3}


def test_a_ratio_is_of_turns_in_the_same_round() -> None:
    """Here the machine is three times as slow in one round, and ten times in another."""
    measured = Measured({"ours": [2, 6, 2, 20, 2], "other": [1, 3, 1, 10, 1]}, {})
    assert measured.cost("ours", "other") == Spread(2, 2, 2)
    assert measured.speed("ours", "other") == Spread(0.5, 0.5, 0.5)
    assert measured.time("ours") == Spread(2, 2, 6)
    assert measured.rate("other") == Spread(1, 1 / 3, 1)


def test_what_could_not_run_is_left_out_with_its_reason() -> None:
    def broken(_n: int) -> float:
        raise CouldNotRun("no such server")

    measured = interleave({"ours": float, "broken": broken}, rounds=2, seconds=1)
    part = Part("part", "A part")
    part.times(measured)
    part.limit("against broken", lambda: measured.cost("ours", "broken"), 2)

    assert [row.name for row in part.rows] == ["ours"]
    assert part.limits == []
    assert part.missing["against broken"] == "broken: no such server"
    for said in (as_text(part), as_markdown(report(part)), as_json(report(part))):
        assert "no such server" in said


@pytest.mark.parametrize(
    ("at_least", "median", "verdict"),
    [(False, 1.9, "holds"), (False, 2.1, "MISSED"), (True, 2.1, "holds"), (True, 1.9, "MISSED")],
)
def test_a_miss_is_a_miss(at_least: bool, median: float, verdict: str) -> None:
    part = Part("part", "A part")
    value = Spread(median, 1.0, 3.0)
    part.limit("claim", lambda: value, 2, at_least=at_least, why="For a reason.")
    page = as_markdown(report(part))

    assert verdict in as_text(part)
    assert verdict in page
    assert ("For a reason." in page) is (verdict == "MISSED")
    (said,) = json.loads(as_json(report(part)))["parts"][0]["limits"]
    assert said["holds"] is (verdict == "holds")
    assert report(part).summary.startswith("1 of 1" if verdict == "holds" else "0 of 1")


def test_pictures_can_be_read() -> None:
    pictures = [
        svg.bars({"ours": 1.0, "<others> & more": 1000.0}, unit="µs", log=True),
        svg.curves({"ours": [(1, 2.0), (10, 2.5)]}, across="events", upward="µs"),
    ]
    for picture in pictures:
        assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert "1,000 µs" in pictures[0]


CONTENDER = """
import sys
from benchmarks.contender import serve

def fail():
    print("this goes elsewhere")
    raise ValueError("not today")

def end():
    sys.exit("ended of itself")

serve("pytest", turn=lambda n: n / 8, fail=fail, end=end)
"""


def test_a_contender_answers_or_says_why_not(tmp_path: Path) -> None:
    contender = Contender([sys.executable, "-c", CONTENDER], {}, tmp_path / "log")
    assert contender.versions == {"pytest": pytest.__version__}
    assert contender.turn()(4) == 0.5
    with pytest.raises(CouldNotRun, match="ValueError: not today"):
        contender.ask("fail")
    assert contender.turn()(8) == 1
    with pytest.raises(CouldNotRun, match="ended of itself"):
        contender.ask("end")
    contender.close()


def test_a_part_runs_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["cost", "--quick", "--output", str(tmp_path)])

    assert "3 of 3 limits hold; 0 things could not run" in capsys.readouterr().out
    (part,) = json.loads((tmp_path / "results.json").read_text())["parts"]
    assert [limit["value"]["median"] for limit in part["limits"]] == [1, 1, 18]
    page = (tmp_path / "RESULTS.md").read_text()
    for picture in (tmp_path / "results").iterdir():
        assert f"(results/{picture.name})" in page


@pytest.mark.slow
def test_asking_the_container_for_each_command_is_a_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    ground = Ground(tmp_path, tmp_path / "environments", rounds=3, seconds=0.1)
    file = ground.service("sqlite") / "src/bench_service/bus/runtime/message_bus.py"
    plant(file, "        for attempt in range(1, self.retry", SLOW)

    part = bus.measure(ground)

    assert not find(part, "cost against the same work by hand").holds
    assert set(part.missing) == {*bus.FULL, *bus.SLIGHT}


@pytest.mark.slow
def test_a_second_write_for_each_commit_is_a_miss(open_folder: Path) -> None:
    ground = Ground(open_folder, open_folder / "environments", rounds=3, seconds=0.2)
    file = ground.service("postgres") / "src/bench_service/adapters/event_store/postgres/store.py"
    plant(file, "                statement, values = append_statement(commit)", SECOND_WRITE)
    part = Part("append", "Append")

    append.postgres(part, ground)

    assert not find(part, "Postgres against one bare INSERT in autocommit").holds


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Not among pytest's, which it closes to others: Postgres runs as a user of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=TEMPORARY) as folder:
        yield Path(folder)


def plant(file: Path, before: str, slowdown: str) -> None:
    sound = file.read_text()
    assert sound.count(before) == 1
    file.write_text(sound.replace(before, slowdown.lstrip("\n") + before))


def find(part: Part, claim: str) -> Limit:
    (limit,) = (limit for limit in part.limits if limit.claim == claim)
    return limit


def report(part: Part) -> Report:
    return Report([part], {"library": "1.0"}, rounds=3)
