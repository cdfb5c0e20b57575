"""The contract of every store of read models."""

import pytest

from {{ cookiecutter.__package }}.bus import EventStore, ViewRow

from ...support.race import all_at_once


def row(
    key: str, version: int = 1, label: str = "new", sort: str = "", data: str = "{}"
) -> ViewRow:
    return ViewRow(key, version, label, sort or f"2026 {key}", data)


def keys(rows: list[ViewRow]) -> list[str]:
    return [each.key for each in rows]


class ViewsContract:
    """A part of the contract suite."""

    def test_rows_come_back_as_they_were_put(self, store: EventStore) -> None:
        rows = {name: row(name, data='{"é":"\\u0000"}') for name in ("a", "é/#", "x" * 128)}
        store.views.put("v", list(rows.values()))
        assert store.views.rows("v", [*rows, "unknown"]) == rows
        assert store.views.rows("v", []) == {}
        assert store.views.rows("w", ["a"]) == {}

    def test_the_higher_version_stays_whatever_the_order(self, store: EventStore) -> None:
        for version in (2, 3, 1, 3):
            store.views.put("v", [row("a", version, data=f"[{version}]")])
            store.views.put("v", [row("a", version, data="[]")])
        assert store.views.rows("v", ["a"])["a"].data == "[3]"
        assert len(store.views.find("v", ["new"], 10)) == 1

    def test_a_thousand_rows_at_once(self, store: EventStore) -> None:
        names = [f"{number:04}" for number in range(1000)]
        store.views.put("v", [row(name) for name in names])
        assert set(store.views.rows("v", names)) == set(names)
        assert keys(store.views.find("v", ["new"], 300)) == names[:699:-1]

    def test_a_row_in_the_way_of_none_of_the_others(self, store: EventStore) -> None:
        store.views.put("v", [row("b", 5)])
        store.views.put("v", [row("a"), row("b", 1), row("c")])
        found = store.views.rows("v", ["a", "b", "c"])
        assert {key: each.version for key, each in found.items()} == {"a": 1, "b": 5, "c": 1}

    def test_lists_are_newest_first_and_by_label(self, store: EventStore) -> None:
        rows = [
            row("a", sort="2026-01-02", label="new"),
            row("b", sort="2026-01-03", label="old"),
            row("c", sort="2026-01-01", label="new"),
            row("d", sort="2026-01-02", label="new"),
        ]
        store.views.put("v", rows)
        assert keys(store.views.find("v", ["new", "old"], 10)) == ["b", "d", "a", "c"]
        assert keys(store.views.find("v", ["new"], 10)) == ["d", "a", "c"]
        assert keys(store.views.find("v", ["old"], 10)) == ["b"]
        assert keys(store.views.find("v", ["none"], 10)) == []
        assert keys(store.views.find("w", ["new"], 10)) == []
        assert store.views.find("v", ["old"], 10) == [rows[1]]

    def test_lists_come_in_pages_that_meet(self, store: EventStore) -> None:
        rows = [row(str(n), sort=f"{n // 4}", label="ab"[n % 2]) for n in range(40)]
        rows += [row(key, 1, "a", sort) for key, sort in (("~", "1"), ("!", "1!"), ("z", "10"))]
        store.views.put("v", rows)
        for labels in (["a"], ["a", "b"]):
            listed: list[ViewRow] = []
            while page := store.views.find("v", labels, 7, listed[-1].place if listed else None):
                listed += page
            expected = [each for each in rows if each.label in labels]
            assert listed == sorted(expected, key=lambda each: each.place, reverse=True)

    def test_a_row_moves_to_the_list_of_its_new_label(self, store: EventStore) -> None:
        store.views.put("v", [row("a", 1, "new")])
        store.views.put("v", [row("a", 2, "old")])
        assert keys(store.views.find("v", ["new"], 10)) == []
        assert keys(store.views.find("v", ["old"], 10)) == ["a"]

    def test_a_view_is_cleared_and_no_other(self, store: EventStore) -> None:
        for view in ("v.1", "v.10"):
            store.views.put(view, [row(str(number)) for number in range(60)])
        store.views.clear("v.1")
        assert store.views.find("v.1", ["new"], 10) == []
        assert store.views.rows("v.1", ["1"]) == {}
        assert len(store.views.find("v.10", ["new"], 100)) == 60

    def test_cells_change_by_comparison(self, store: EventStore) -> None:
        assert store.views.cell("c") is None
        assert not store.views.set_cell("c", "x", "w")
        assert store.views.set_cell("c", "x", None)
        assert not store.views.set_cell("c", "y", None)
        assert not store.views.set_cell("c", "y", "w")
        assert store.views.cell("c") == "x"
        assert store.views.set_cell("c", "é" * 5000, "x")
        assert store.views.cell("c") == "é" * 5000
        assert store.views.cell("d") is None

    @pytest.mark.parametrize("was", [None, "old"])
    def test_of_those_who_change_a_cell_exactly_one_does(
        self, store: EventStore, was: str | None
    ) -> None:
        if was:
            assert store.views.set_cell("c", was, None)
        results = all_at_once(lambda number: store.views.set_cell("c", str(number), was))
        assert results.count(True) == 1
        assert store.views.cell("c") == str(results.index(True))
