"""Released messages: what is in somebody's store loads, today and after every change."""

import json
from pathlib import Path

import pytest

from {{ cookiecutter.__package }}.bus import Message

from ..support import golden

FILES = sorted(golden.FOLDER.glob("*.json"))
CODECS, STORED = golden.service()


def test_there_are_released_shapes() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_released_loads_and_is_written_as_it_was(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))["example"]
    codec = golden.codec_for(CODECS, stored)
    (message,) = codec.decode(json.dumps([stored]))
    (written,) = json.loads(codec.encode([message]))
    if written["$type"] == stored["$type"]:
        assert golden.kept(stored, written), f"{stored} is read and written again as {written}"


@pytest.mark.parametrize("message_type", STORED, ids=lambda each: each.__name__)
def test_every_released_shape_is_recorded_and_none_is_broken(message_type: type[Message]) -> None:
    problem = golden.problem(message_type)
    assert not problem, problem
