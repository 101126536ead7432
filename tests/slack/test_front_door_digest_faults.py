"""Digests when something fails: late, missed, told once; never twice, never in silence. The whole bot, real sockets."""

from __future__ import annotations

import asyncio
import logging
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.checkpoints import Moment, on_checkpoint
from bot.mailroom import LEASE_S
from bot.presenters import engine
from bot.sandbox.slack import Message
from bot.sandbox.testmo.records import AutomationRun
from bot.sandbox.testmo.statuses import FAILED, PASSED
from bot.sandbox.testmo.store import Draft
from tests.slack.digests_kit import Newsroom, newsroom

#: Nine in Berlin is eight in UTC; a Friday and the days after it.
FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (f"2026-11-{day}T08:00" for day in range(20, 25))
EVERY = "digest add nightly --at 09:00 --in testmo"
NINE_ON_FRIDAY = datetime.fromisoformat(f"{FRIDAY}+00:00")
#: One that says a line a day: where what it says does not matter, nobody has to wait for the rest.
BRIEF = "digest add nightly --at 09:00 --in testmo --what stale --tag nosuchtag"


@asynccontextmanager
async def on_a_file(folder: Path, *, refusals: tuple[str, ...] = ()) -> AsyncIterator[tuple[Newsroom, Path]]:
    """A newsroom whose database is a file, and where that is."""
    path = folder / "rundown.db"
    async with newsroom(settings={"RUNDOWN_DB": str(path)}, refusals=refusals) as here:
        yield here, path


async def until(holds: Callable[[], object]) -> None:
    """Wait for something that is not Slack's to tell of."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  disk and log tell nobody
            await asyncio.sleep(0.01)


async def pragma(here: Newsroom, sql: str) -> Any:
    """Ask the bot's own connection."""
    assert here.process.bot is not None
    return await here.process.bot.rooms.database.run(lambda db: db.conn.execute(f"PRAGMA {sql}").fetchone())


def keys(here: Newsroom) -> list[str]:
    """The slots that were posted, in the order in which they were."""
    return [str((each.metadata or {})["event_payload"]["key"]).split()[1] for each in here.unasked()]


def told_directly(here: Newsroom) -> list[str]:
    return [here.words(each) for each in here.slack.said() if each.channel.startswith("D")]


# ── F76, F77, F86: late, missed, back after days ──


@pytest.mark.parametrize(
    ("back", "there", "not_there"),
    [
        ("2026-11-20T08:00", ("Nightly web",), ("late", "missed")),
        ("2026-11-20T08:03", ("Nightly web", "3 min late"), ("missed",)),
        ("2026-11-20T08:07", ("Nightly web", "7 min late"), ("missed",)),
        ("2026-11-20T19:55", ("Nightly web", "11 h 55 min late"), ("missed",)),
        ("2026-11-20T20:30", ("the digest of Fri 20 Nov 09:00 was missed",), ("Nightly web", "late")),
        ("2026-11-23T08:07", ("Nightly web", "7 min late", "3 before it were missed"), ()),
        (
            "2026-11-23T20:30",
            ("the digest of Mon 23 Nov 09:00 was missed", "3 before it were missed"),
            ("Nightly web", "late"),
        ),
    ],
    ids=["in time", "3 min", "09:07", "just in time", "21:30", "09:07 after days", "21:30 after days"],
)
async def test_after_an_outage_one_message_tells_that_it_is_late_or_that_it_was_missed(
    tmp_path: Path, back: str, there: tuple[str, ...], not_there: tuple[str, ...]
) -> None:
    async with on_a_file(tmp_path) as (here, _):
        await here.asked(EVERY)
        await here.rests()
        await here.goes_by(back)
        await here.works()
        await here.goes_by(back)
        [posted] = here.posted()
        for words in there:
            assert words in posted
        for words in not_there:
            assert words not in posted


@pytest.mark.parametrize("back", ["2026-11-23T08:07", "2026-11-23T20:30"], ids=["09:07", "21:30"])
async def test_what_ended_in_the_days_of_an_outage_is_told_by_one_summary(tmp_path: Path, back: str) -> None:
    async with on_a_file(tmp_path) as (here, _):
        await here.asked(EVERY)
        await here.goes_by(FRIDAY)
        await here.rests()
        await here.goes_by(back)
        await here.works()
        await here.goes_by(TUESDAY)
        friday, *others = here.posted()
        assert "2 streams broke" in friday
        assert len(others) == 2, "one for the days away, one for Tuesday"
        summary = next(each for each in others if "runs since 2026-11-20 08:00 UTC" in each)
        until_then = datetime.fromisoformat(f"{TUESDAY if summary is others[-1] else back}+00:00")
        ended = [
            run
            for run in here.testmo.store.automation_runs.values()
            if run.project_id == 1 and run.completed_at and NINE_ON_FRIDAY < run.completed_at <= until_then
        ]
        assert f" {len(ended)} runs since" in summary


@pytest.mark.parametrize(
    ("moments", "slots"),
    [
        ([FRIDAY, "2026-11-20T07:00", FRIDAY, SATURDAY], ["20T09:00", "21T09:00"]),
        ([FRIDAY, "2026-11-19T08:00", FRIDAY, SATURDAY], ["20T09:00", "21T09:00"]),
        ([SATURDAY, "2026-11-20T07:00", FRIDAY, SATURDAY, SUNDAY], ["21T09:00", "20T09:00", "22T09:00"]),
    ],
    ids=["back an hour", "back a day", "forward a day, and back"],
)
async def test_a_clock_that_is_set_doubles_nothing_and_loses_nothing(moments: list[str], slots: list[str]) -> None:
    async with newsroom() as here:
        await here.asked(BRIEF)
        for moment in moments:
            await here.goes_by(moment)
        assert [key[8:] for key in keys(here)] == slots


# ── F85: very many runs, runs that go, runs that come back ──


def ran(here: Newsroom, name: str, status: int, at: datetime) -> AutomationRun:
    """A run of the source `load` that took a minute, with one test."""
    store = here.testmo.store
    run = store.start_run(1, "load", name, at=at, by=1)
    store.add_tests(run, store.start_thread(run, at=at, by=1), [Draft("pays", "pays", "Checkout", status)], at=at)
    store.complete_run(run, at=at + timedelta(minutes=1), by=1)
    return run


def ran_again(here: Newsroom, run: AutomationRun, status: int, at: datetime) -> None:
    """It was opened again, and ended with this."""
    for test in run.tests():
        test.status_id = status
    run.completed_at = None
    here.testmo.store.complete_run(run, at=at, by=1)


async def load(here: Newsroom, flags: str = "") -> None:
    here.testmo.store.source_named(1, "load", at=here.clock.now(), by=1)
    assert "is set" in await here.asked(f"digest add load --at 09:00 --in testmo --source load {flags}")
    await here.goes_by(FRIDAY)


async def test_a_thousand_runs_between_two_digests_are_one_message_and_one_line() -> None:
    async with newsroom() as here:
        await load(here)
        begin = here.clock.now()
        for number in range(1000):
            ran(here, f"load {number}", PASSED if number < 900 else FAILED, begin + timedelta(seconds=30 * number))
        await here.goes_by(SATURDAY)
        _, posted = here.unasked()
        words = here.words(posted)
        assert "1 stream broke" in words
        assert "1000 runs since" in words
        assert "100 of 1000 runs failed" in words
        assert words.count("Broke ") == 1
        assert here.below(posted).count("load 999") == 1
        assert len(here.slack.said("#release")) < 10


async def test_runs_that_failed_and_passed_later_are_not_left_out_of_a_quiet_line() -> None:
    async with newsroom() as here:
        await load(here)
        begin = here.clock.now()
        for number in range(10):
            ran(here, f"load {number}", FAILED if number in (3, 4) else PASSED, begin + timedelta(hours=number))
        await here.goes_by(SATURDAY)
        assert "(10 runs, 2 of them failed in between)" in here.posted()[-1]


async def test_a_run_that_ended_and_was_deleted_meanwhile_is_not_told_and_hinders_nothing() -> None:
    async with newsroom() as here:
        await load(here)
        begin = here.clock.now()
        gone = ran(here, "gone", FAILED, begin + timedelta(hours=1))
        ran(here, "kept", PASSED, begin + timedelta(hours=2))
        here.testmo.store.remove_run(gone.id)
        await here.goes_by(SATURDAY)
        assert "the only stream passed" in here.posted()[-1]
        assert "(1 run)" in here.posted()[-1]


async def test_a_run_that_is_opened_again_is_told_once_for_each_state_it_ended_in() -> None:
    async with newsroom() as here:
        await load(here)
        begin = here.clock.now()
        ran(here, "before", PASSED, begin + timedelta(hours=1))
        run = ran(here, "again", PASSED, begin + timedelta(hours=2))
        await here.goes_by(SATURDAY)
        ran_again(here, run, FAILED, here.clock.now() + timedelta(hours=1))
        await here.goes_by(SUNDAY)
        ran_again(here, run, PASSED, here.clock.now() + timedelta(hours=1))
        ran_again(here, run, FAILED, here.clock.now() + timedelta(hours=2))
        ran_again(here, run, PASSED, here.clock.now() + timedelta(hours=3))
        await here.goes_by(MONDAY)
        await here.goes_by(TUESDAY)
        _, passed, broke, passed_again, nothing = here.posted()
        assert "the only stream passed" in passed
        assert "1 stream broke" in broke
        assert broke.count("again") == 1
        assert "(1 run)" in passed_again
        assert "no run ended" in nothing


# ── R8: a system that is down for several digests ──


async def test_what_a_system_owes_after_several_digests_without_it_is_told_late_once() -> None:
    async with newsroom() as here:
        await load(here)
        here.testmo.faults.html(".", status=503)
        for moment in (SATURDAY, SUNDAY):
            ran(here, f"load of {moment}", FAILED, here.clock.now() + timedelta(hours=2))
            await here.goes_by(moment)
        down = here.posted()[1:]
        assert len(down) == 2
        for words in down:
            assert "1 system did not answer" in words
            assert "Testmo is not available right now" in words
        here.testmo.faults.clear()
        ran(here, "load of monday", FAILED, here.clock.now() + timedelta(hours=2))
        await here.goes_by(MONDAY)
        back = here.posted()[-1]
        assert "2 of these runs ended before the last digest, which could not see them." in back
        assert "3 of 3 runs failed" in back
        await here.goes_by(TUESDAY)
        assert "told now" not in here.posted()[-1]
        assert "no run ended" in here.posted()[-1]


async def test_a_system_that_is_back_brings_nothing_twice_that_was_seen_before_it_went() -> None:
    async with newsroom() as here:
        await load(here)
        ran(here, "seen", FAILED, here.clock.now() + timedelta(hours=1))
        await here.goes_by(SATURDAY)
        here.testmo.faults.html(".", status=503)
        await here.goes_by(SUNDAY)
        here.testmo.faults.clear()
        await here.goes_by(MONDAY)
        assert "no run ended" in here.posted()[-1]


# ── F87: a template of the operator's ──


@pytest.fixture
def templates(tmp_path: Path) -> Iterator[Path]:
    """A folder for templates; what is said afterwards is said with ours."""
    folder = tmp_path / "templates"
    folder.mkdir()
    yield folder
    engine.use(engine.Engine())


@pytest.mark.parametrize(
    ("template", "content"),
    [
        ("digest", '{"fallback": "{{ no.such.hole }}"}'),
        ("digest", '{"fallback": "{% for %}"}'),
        ("digest", '{"fallback": "x"} {"type": "section", "text": {"type": "mrkdwn", "text": "{{ \'x\' * 10**9 }}"}}'),
        ("digest", '{"fallback": "x"'),
        ("_digest_why", "{{ 1 / 0 }}"),
        ("digest_failing", "nonsense"),
    ],
    ids=["an unknown hole", "no template", "too heavy", "cut off", "a part of it", "in the thread"],
)
async def test_a_template_of_ones_own_that_fails_costs_nobody_a_digest(
    templates: Path, caplog: pytest.LogCaptureFixture, template: str, content: str
) -> None:
    (templates / f"{template}.json.j2").write_text(content)
    with caplog.at_level(logging.CRITICAL, "bot.rooms"):
        async with newsroom(settings={"RUNDOWN_TEMPLATES": str(templates)}) as here:
            await here.asked(EVERY)
            await here.asked("digest add calm --at 09:00 --in testmo --what stale --tag nosuchtag")
            await here.goes_by(FRIDAY)
            calm, nightly = sorted(here.unasked(), key=lambda each: "nightly" in here.words(each))
            assert "calm – nothing is stale" in here.words(calm)
            assert "2 streams broke, 1 still failing" in here.words(nightly)
            assert "Digest nightly of Ana" in here.words(nightly)
            assert "failing tests in 3 streams" in here.below(nightly)


# ── F35, F36: Slack takes nothing more ──


async def archived(here: Newsroom) -> Callable[[], Awaitable[object]]:
    here.slack.archive("#release")

    async def mend() -> None:
        here.slack.archive("#release", archived=False)

    return mend


async def put_out(here: Newsroom) -> Callable[[], Awaitable[object]]:
    here.slack.remove("#release")
    return lambda: here.slack.invite("ana", "#release", guest=here.slack.bot_user_id)


@pytest.mark.parametrize(
    ("happens", "reason", "words"),
    [
        (archived, "is_archived", "The channel is archived. Unarchive it, or make the digest in another one."),
        (put_out, "not_in_channel", "Rundown is not in the channel any more. Invite it there."),
    ],
)
async def test_a_channel_that_takes_nothing_more_parks_its_digests_and_each_owner_is_told_once_until_they_resume(
    happens: Callable[[Newsroom], Awaitable[Callable[[], Awaitable[object]]]], reason: str, words: str
) -> None:
    async with newsroom(refusals=(reason,)) as here:
        await here.asked(BRIEF)
        await here.asked(BRIEF.replace("nightly", "toms"), who="tom")
        await here.asked(BRIEF, "#checkout")
        mend = await happens(here)
        for moment in (FRIDAY, SATURDAY, SUNDAY):
            await here.goes_by(moment)
        assert (len(here.posted("#checkout")), here.posted()) == (3, []), "the others go on"
        told = told_directly(here)
        assert len(told) == 2
        for name in ("nightly", "toms"):
            [one] = [each for each in told if f"Your digest {name} is not posted any more" in each]
            assert words in one
            assert f"digest resume {name}" in one
        await mend()
        look = await here.asked("digest show nightly")
        assert "Digest nightly is not posted any more" in look
        assert words in look
        assert "Next Mon 23 Nov 09:00" in await here.asked("digest resume nightly")
        await here.goes_by(MONDAY)
        [posted] = here.posted()
        assert posted.startswith("✅ nightly")
        assert told_directly(here) == told


async def test_an_owner_who_could_not_be_told_is_told_as_soon_as_slack_is_well() -> None:
    async with newsroom(refusals=("is_archived", "internal_error")) as here:
        await here.asked(BRIEF)
        here.slack.archive("#release")
        here.slack.fail("conversations.open", "internal_error", times=-1)
        await here.goes_by(FRIDAY)
        assert told_directly(here) == []
        here.slack.faults.clear()
        await here.goes_by(SATURDAY)
        assert len(told_directly(here)) == 1
        await here.goes_by(SUNDAY)
        assert len(told_directly(here)) == 1


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
async def test_digests_go_on_by_themselves_when_slack_takes_a_token_again(tmp_path: Path, error: str) -> None:
    async with on_a_file(tmp_path, refusals=(error,)) as (here, _):
        await here.asked(BRIEF)
        await here.goes_by(FRIDAY)
        here.slack.revoke_token(error)
        for moment in (SATURDAY, SUNDAY):
            await here.goes_by(moment)
        tried = here.slack.calls("chat.postMessage")
        assert len(here.posted()) == 1
        assert len(tried) < 20, "it is not tried without end"
        await here.rests()
        here.slack.revoke_token("")
        await here.goes_by(f"{MONDAY[:-2]}30")
        await here.works()
        await here.goes_by(TUESDAY)
        assert "20T09:00" in keys(here)[0]
        assert {"2026-11-23T09:00", "2026-11-24T09:00"} <= set(keys(here))
        assert len(set(keys(here))) == len(keys(here))
        assert "is not posted any more" not in await here.asked("digest show nightly")


# ── F88: the disk is full ──


class Full:
    """A disk with no room left: the system lets this process write no file beyond the log of a database."""

    def __init__(self, path: Path) -> None:
        self._log = Path(f"{path}-wal")
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def __enter__(self) -> Full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._log.stat().st_size, self._before[1]))
        return self

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


async def test_on_a_full_disk_no_digest_is_made_people_are_told_and_it_comes_late_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with on_a_file(tmp_path) as (here, path):
        await here.asked(EVERY)
        with caplog.at_level(logging.CRITICAL), Full(path):
            await here.goes_by(FRIDAY)
            assert here.posted() == []
            refused = await here.asked("digest add other --at 10:00 --in testmo")
            assert "Rundown can't use its database right now." in refused
        await here.goes_by(f"{FRIDAY[:-2]}05")
        [posted] = here.posted()
        assert "5 min late" in posted
        assert "nightly" in await here.asked("digest list")
        assert "other" not in await here.asked("digest list")


async def test_what_was_posted_when_the_disk_became_full_is_not_posted_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as room:
        async with on_a_file(tmp_path) as (here, path):
            await here.asked(EVERY)
            filled: list[Moment] = []

            def fill(moment: Moment) -> None:
                if moment == "parcel posted" and not filled:
                    filled.append(moment)
                    room.enter_context(Full(path))

            on_checkpoint(fill)
            room.callback(on_checkpoint)
            going = asyncio.create_task(here.goes_by(FRIDAY))
            await until(lambda: any(record.name == "bot.storage.database" for record in caplog.records))
            assert len(here.unasked()) == 1
            room.close()
            here.pass_time(seconds=LEASE_S + 1)
            await going
            [posted] = here.unasked()
            assert "repeat" not in here.words(posted)
            assert here.below(posted), "what belongs below it has come, too"
            assert "Posted" in await here.asked("digest show nightly")


# ── F89: somebody else holds the file ──


async def test_while_another_process_holds_the_file_commands_are_acknowledged_and_the_digest_is_late(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with on_a_file(tmp_path) as (here, path):
        await here.asked(EVERY)
        await pragma(here, "busy_timeout = 300")  # else each try would take five seconds
        with closing(sqlite3.connect(path, isolation_level=None)) as other, caplog.at_level(logging.CRITICAL):
            other.execute("BEGIN IMMEDIATE")
            before = {message.key for message in here.slack.said()}
            going = asyncio.create_task(here.goes_by(FRIDAY))
            await asyncio.sleep(0)  # it is nine now
            asked = [
                await here.slack.command("ana", "#release", "/runs", text)
                for text in ("show A412", "digest list", "digest add late --at 10:00 --in testmo")
            ]
            assert all(delivery.acked for delivery in asked)
            await asyncio.gather(going, return_exceptions=True)  # the outbox can't be read either
            assert here.posted() == []

            def said() -> list[Message]:
                return [each for each in here.slack.said() if each.key not in before and "ooking" not in each.text]

            await here.slack.until(lambda: len(said()) >= 3, timeout_s=20)
            assert any("can't use its database right now" in here.words(each) for each in said())
            other.execute("ROLLBACK")
        await here.goes_by(f"{FRIDAY[:-2]}30")
        assert ["30 min late" in each for each in here.posted()] == [True]


# ── F91: power fails ──


async def test_each_step_is_on_the_disk_before_the_next_one_is_taken(tmp_path: Path) -> None:
    """What a power failure at a moment would leave is what the files hold there: they are copied at each."""
    left: list[tuple[Moment, Path, bool]] = []
    async with on_a_file(tmp_path) as (here, path):
        await here.asked(EVERY)
        assert await pragma(here, "synchronous") == (2,), "a commit waits for the disk"

        def copied(moment: Moment) -> None:
            if moment.startswith(("digest", "parcel")):
                to = tmp_path / f"{len(left)}.db"
                shutil.copy(path, to)
                shutil.copy(f"{path}-wal", f"{to}-wal")
                left.append((moment, to, bool(here.unasked())))

        on_checkpoint(copied)
        try:
            await here.goes_by(FRIDAY)
        finally:
            on_checkpoint()
    first = {moment: (to, posted) for moment, to, posted in reversed(left)}
    told = {moment: (*_state(to), posted) for moment, (to, posted) in first.items()}
    assert told == {
        "digest claimed": ("claimed", "", False),
        "digest written": ("claimed", "", False),
        "digest kept": ("made", "waiting", False),
        "parcel taken": ("made", "waiting", False),
        "parcel recorded": ("made", "posting", False),
        "parcel posted": ("made", "posting", True),
        "parcel confirmed": ("made", "posted", True),
    }


def _state(path: Path) -> tuple[str, str]:
    """What a file tells of the slot, and of its first message; it is whole."""
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        [(slot,)] = file.execute("select state from plan_slots").fetchall()
        found = file.execute("select state from parcels where under = ''").fetchall()
        return slot, found[0][0] if found else ""
