"""`rundown digest preview NAME`: what a digest would say now, on a terminal, without Slack."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.presenters.message import Message
from bot.presenters.plainly import plain_text
from tests.slack.digests_kit import Newsroom, newsroom


async def preview(here: Newsroom, name: str, **settings: str) -> Result:
    """Run the command in the settings of that bot, beside it."""
    env = here.environment | settings
    return await asyncio.to_thread(CliRunner().invoke, main, ["digest", "preview", name], env=env)


async def test_it_prints_every_digest_of_that_name_and_neither_asks_slack_nor_keeps_anything(tmp_path: Path) -> None:
    database = tmp_path / "rundown.db"
    async with newsroom(settings={"RUNDOWN_DB": str(database)}) as here:
        await here.asked("digest add nightly --at 09:00 --in testrail --what failed,stale")
        await here.asked("digest add Nightly --at 10:00 --in testmo --what stale", "#checkout")
        await here.asked('digest add list --at 10:00 --query "list --older-than 14d"')
        await here.rests()
        kept = database.read_bytes()
        calls = len(here.slack.journal)
        told = await preview(here, "NIGHTLY")
        assert told.exit_code == 0, told.output
        release, checkout = (here.slack.channel(name).id for name in ("#release", "#checkout"))
        assert f"── {release}\n" in told.output
        assert f"── {checkout}\n" in told.output
        assert "Accessibility spring audit" in told.output
        assert not any(mark in told.output for mark in ("<", "&amp;", "*"))
        answer = await preview(here, "list")
        assert "It posts the answer to `list --older-than 14d`" in answer.output
        assert len(here.slack.journal) == calls
        assert database.read_bytes() == kept


async def test_an_unknown_name_is_told_with_the_closest(tmp_path: Path) -> None:
    async with newsroom(settings={"RUNDOWN_DB": str(tmp_path / "rundown.db")}) as here:
        nobody = await preview(here, "nightly")
        assert "Nobody has made one yet." in nobody.output
        await here.asked("digest add nightly --at 09:00")
        told = await preview(here, "nightli")
        assert told.exit_code == 1
        assert "Did you mean nightly?" in told.output


async def test_without_a_database_none_is_made(tmp_path: Path) -> None:
    async with newsroom() as here:
        database = tmp_path / "elsewhere.db"
        told = await preview(here, "nightly", RUNDOWN_DB=str(database))
        assert told.exit_code == 1
        assert "There is no database" in told.output
        assert not database.exists()


def test_wrong_settings_are_all_told_at_once() -> None:
    told = CliRunner().invoke(main, ["digest", "preview", "nightly"], env={"TESTMO_URL": "nonsense", "PORT": "many"})
    assert told.exit_code == 2
    assert "TESTMO_URL" in told.output
    assert "PORT" in told.output


@pytest.mark.parametrize(
    ("mrkdwn", "plain"),
    [
        ("*bold* and `code`", "bold and code"),
        ("<https://x.example/?a=1&amp;b=2|Run &lt;1&gt;>", "Run <1>"),
        ("<!date^1763622000^{date} {time}|2025-11-20 08:00 UTC>", "2025-11-20 08:00 UTC"),
        ("<https://x.example>", "https://x.example"),
        ("2 &lt; 3", "2 < 3"),
    ],
)
def test_slacks_marks_become_plain_words(mrkdwn: str, plain: str) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}
    more = Message("", [{"type": "context", "elements": [{"type": "mrkdwn", "text": "below"}]}])
    assert plain_text(Message("", [block], (more,))) == f"{plain}\n\nbelow"
