"""Each kind of message looks as it did when somebody last looked at it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.presenters import engine
from bot.sandbox.slack.blockkit import validate_view
from tests.presenters import snapshots
from tests.presenters.checker import problems
from tests.presenters.samples import SAMPLES, VIEWS

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
    assert text.endswith((".", ";", "`.", "?", "”"))


@pytest.mark.parametrize("kind", VIEWS)
def test_a_form_is_what_it_was_and_slack_takes_it(kind: str) -> None:
    view = VIEWS[kind]()
    assert snapshots.view_readable(view) == (snapshots.FOLDER / f"{kind}.txt").read_text(encoding="utf-8"), UPDATE
    assert snapshots.view_payload(view) == (snapshots.FOLDER / f"{kind}.json").read_text(encoding="utf-8"), UPDATE
    assert [str(problem) for problem in validate_view(view.as_dict("form", "{}"))] == []


def test_no_snapshot_is_left_over() -> None:
    assert {path.stem for path in snapshots.FOLDER.iterdir()} == {*SAMPLES, *VIEWS}


def test_every_template_has_a_sample() -> None:
    used: set[str] = set()

    class Listening(engine.Engine):
        def render(self, template: str, **holes: object) -> engine.Message:
            used.add(template)
            return super().render(template, **holes)

        def view(self, template: str, fields: Sequence[str] = (), **holes: object) -> engine.View:
            used.add(template)
            return super().view(template, fields, **holes)

    engine.use(Listening())
    try:
        for make in (*SAMPLES.values(), *VIEWS.values()):
            make()
    finally:
        engine.use(engine.Engine())
    assert used == set(engine.names())
