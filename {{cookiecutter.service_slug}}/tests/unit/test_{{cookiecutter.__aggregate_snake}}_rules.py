"""Whatever is asked of it, in any order: its rules hold, and its state is what its events say."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.__package }}.bus import DomainError
from {{ cookiecutter.__package }}.domain.{{ cookiecutter.__aggregate_snake }} import aggregate

NEXT = {
    "created": {"created", "processed", "failed"},
    "processed": {"processed", "archived"},
    "failed": {"failed"},
    "archived": {"archived"},
}
DATA = st.dictionaries(st.sampled_from(["fail", "item"]), st.text() | st.integers())
STEPS = st.lists(st.sampled_from(["process", "archive"]), max_size=8)


def state_of(one: aggregate.{{ cookiecutter.__aggregate }}) -> dict[str, Any]:
    return {name: value for name, value in vars(one).items() if name != "journal"}


def step(one: aggregate.{{ cookiecutter.__aggregate }}, name: str) -> None:
    if name == "process":
        one.process()
    else:
        one.to_archive()
        one.archived("somewhere")


@given(DATA, STEPS)
def test_its_rules_hold_over_any_sequence_of_commands(
    data: dict[str, Any], steps: list[str]
) -> None:
    one = aggregate.{{ cookiecutter.__aggregate }}.create("a", data)
    for name in steps:
        before = state_of(one)
        try:
            step(one, name)
        except DomainError:
            assert state_of(one) == before, "what is refused changes nothing"
        assert one.status in NEXT[before["status"]]
        assert (one.location is not None) == (one.status == "archived")
    assert one.version == len(one.journal)


@given(DATA, STEPS)
def test_its_state_is_the_fold_of_its_events(data: dict[str, Any], steps: list[str]) -> None:
    one = aggregate.{{ cookiecutter.__aggregate }}.create("a", data)
    for name in steps:
        try:
            step(one, name)
        except DomainError:
            continue
    folded = aggregate.{{ cookiecutter.__aggregate }}("a").fold([event for _, event in one.journal])
    assert state_of(folded) == state_of(one)
