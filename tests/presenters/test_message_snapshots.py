"""Each kind of message looks as it did when somebody last looked at it."""

from __future__ import annotations

import pytest

from bot.presenters import engine
from tests.presenters import snapshots
from tests.presenters.checker import problems
from tests.presenters.samples import SAMPLES

UPDATE = "if it should be so: python -m tests.presenters.snapshots"


@pytest.mark.parametrize("kind", SAMPLES)
def test_reads_as_it_did(kind: str) -> None:
    message = SAMPLES[kind]()
    assert snapshots.readable(message) == (snapshots.FOLDER / f"{kind}.txt").read_text(encoding="utf-8"), UPDATE


@pytest.mark.parametrize("kind", SAMPLES)
def test_is_made_of_the_blocks_it_was(kind: str) -> None:
    message = SAMPLES[kind]()
    assert snapshots.payload(message) == (snapshots.FOLDER / f"{kind}.json").read_text(encoding="utf-8"), UPDATE


@pytest.mark.parametrize("kind", SAMPLES)
def test_is_taken_by_slack(kind: str) -> None:
    assert problems(SAMPLES[kind]()) == []


@pytest.mark.parametrize("kind", SAMPLES)
def test_has_a_sentence_for_notifications(kind: str) -> None:
    text = SAMPLES[kind]().text
    assert text[0].isupper() or text[0].isdigit() or text.startswith(("<#", "close", "testrail"))
    assert text.endswith((".", ";", "`."))


def test_no_snapshot_is_left_over() -> None:
    assert {path.stem for path in snapshots.FOLDER.iterdir()} == set(SAMPLES)


def test_every_template_has_a_sample() -> None:
    used: set[str] = set()

    class Listening(engine.Engine):
        def render(self, template: str, **holes: object) -> engine.Message:
            used.add(template)
            return super().render(template, **holes)

    engine.use(Listening())
    try:
        for make in SAMPLES.values():
            make()
    finally:
        engine.use(engine.Engine())
    assert used == set(engine.names())
