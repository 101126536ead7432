"""When a plan is due: what may be written for it, and its slots against clocks walked step by step."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.domain.digests import Slot, Timing
from bot.domain.errors import AskError
from bot.timetable import TimingError, day_ahead, in_words, next_slot, slot_before, slots, slots_between, timing

BERLIN = "Europe/Berlin"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ------------------------------------------------------------------ what may be written


@pytest.mark.parametrize(
    ("times", "on", "cron", "said"),
    [
        ("09:00", "", "0 9 * * *", "daily at 09:00"),
        ("9:00", "daily", "0 9 * * *", "daily at 09:00"),
        ("09:00", "every day", "0 9 * * *", "daily at 09:00"),
        ("09:00", "mon-sun", "0 9 * * *", "daily at 09:00"),
        ("0:00", "mon-fri", "0 0 * * 1,2,3,4,5", "mon-fri at 00:00"),
        ("09:00", "Weekdays", "0 9 * * 1,2,3,4,5", "mon-fri at 09:00"),
        ("09:00", "Monday – Friday", "0 9 * * 1,2,3,4,5", "mon-fri at 09:00"),
        ("09:00", "monday to friday", "0 9 * * 1,2,3,4,5", "mon-fri at 09:00"),
        ("09:00", "weekend", "0 9 * * 6,7", "sat,sun at 09:00"),
        ("09:00", "fri-mon", "0 9 * * 1,5,6,7", "mon,fri-sun at 09:00"),
        ("09:00", "wednesdays, Mon,thurs", "0 9 * * 1,3,4", "mon,wed,thu at 09:00"),
        ("09:00", "15th,1st", "0 9 1,15 * *", "1st,15th at 09:00"),
        ("09:00", "last day", "0 9 L * *", "last-day at 09:00"),
        ("09:00", "mon,1st,last", "0 9 1,L * 1", "mon,1st,last-day at 09:00"),
        ("14:00, 09:00,9:00", "", "0 9,14 * * *", "daily at 09:00,14:00"),
        ("14:30,09:00", "sat", "0 9 * * 6; 30 14 * * 6", "sat at 09:00,14:30"),
    ],
)
def test_times_and_days_become_a_timing_that_can_be_said_and_typed_again(
    times: str, on: str, cron: str, said: str
) -> None:
    found = timing(at=times, on=on, zone=BERLIN)
    assert found == Timing(cron, BERLIN, said)
    days, clocks = said.split(" at ")
    assert timing(at=clocks, on=days, zone=BERLIN) == found


@pytest.mark.parametrize(
    "cron", ["0 9 * * 1-5", "*/5 * * * *", "0 9 29 2 *", "30 8 L * *", "0 9 * * MON#1", "0 9 1 * 1"]
)
def test_cron_is_taken_as_it_is_written(cron: str) -> None:
    assert timing(cron=f" {cron.replace(' ', '  ')} ", zone="utc") == Timing(cron, "UTC", cron)
    assert in_words(timing(cron=cron, zone="UTC")) == f"cron {cron} (UTC)"


def test_stars_that_were_copied_from_a_message_are_stars() -> None:
    assert timing(cron="0 9 ∗ ∗ 1-5", zone="UTC") == timing(cron="0 9 * * 1-5", zone="UTC")


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-12-24", "2026-12-24"),
        ("tomorrow", "2026-11-21"),
        ("friday", "2026-11-27"),
        ("Sat", "2026-11-21"),
        (" thursday ", "2026-11-26"),
        ("3d", "2026-11-23"),
        ("2w", "2026-12-04"),
    ],
)
def test_a_day_to_come_is_told_as_people_do(typed: str, day: str) -> None:
    assert day_ahead(typed, date(2026, 11, 20)).isoformat() == day, "from a Friday on"


@pytest.mark.parametrize("typed", ["yesterday", "soon", "", "0d", "2026-02-30", "٣d", "9" * 5000])
def test_what_is_no_day_to_come_is_refused(typed: str) -> None:
    with pytest.raises(TimingError, match="no day to come"):
        day_ahead(typed, date(2026, 11, 20))


def test_the_words_for_people_hold_the_zone() -> None:
    assert in_words(timing(at="09:00", on="mon-fri", zone=BERLIN)) == "mon-fri at 09:00 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("flag", "typed", "closest"),
    [
        ("at", "25:00", ("01:00",)),
        ("at", "24:00", ("00:00",)),
        ("at", "09:60", ("10:00",)),
        ("at", "09.00", ("09:00",)),
        ("at", "9", ("09:00",)),
        ("at", "930", ("09:30",)),
        ("at", "0900", ("09:00",)),
        ("at", "9h", ("09:00",)),
        ("at", "9 am", ("09:00",)),
        ("at", "12am", ("00:00",)),
        ("at", "9:30pm, 8:00", ("08:00,21:30",)),
        ("at", "noon", ("12:00",)),
        ("at", "09:00:00", ()),
        ("at", "09:00,", ("09:00",)),
        ("at", "٠٩:٠٠", ()),
        ("at", "teatime", ()),
        ("at", "9" * 5000, ()),
        ("at", "09:00,09:02,09:05", ("09:00,09:05",)),
        ("at", "00:01,23:58", ("00:01",)),
        ("on", "mo-fr", ("mon-fri",)),
        ("on", "mondy", ("mon",)),
        ("on", "tusday-friday", ("tue-fri",)),
        ("on", "1", ("1st",)),
        ("on", "mon,2st", ("mon,2nd",)),
        ("on", "32nd", ("31st",)),
        ("on", "t", ()),
        ("on", "dayly", ("daily",)),
        ("on", "mon wed", ("mon,wed",)),
        ("on", "tue/thu", ("tue,thu",)),
        ("on", "mon-wed and fri", ("mon-wed,fri",)),
        ("on", "mon funday", ()),
        ("on", "2nd tuesday", ()),
        ("on", "mon,", ("mon",)),
        ("on", "mon-" * 400, ()),
        ("cron", "0 0 9 * * *", ("0 9 * * *",)),
        ("cron", "0 0 9 ? * MON-FRI *", ("0 9 * * MON-FRI",)),
        ("cron", "0 9 ? * 1-5", ("0 9 * * 1-5",)),
        ("cron", "0 9", ("0 9 * * *",)),
        ("cron", "@daily", ("0 0 * * *",)),
        ("cron", "@dayly", ("0 0 * * *",)),
        ("cron", "0 25 * * *", ("0 1 * * *",)),
        ("cron", "0 9 * * mo-fr", ("0 9 * * 1,2,3,4,5",)),
        ("cron", "0 9 * * 5-1", ("0 9 * * 1,5,6,7",)),
        ("cron", "0 9 * * 1; 0 10 * * 1", ()),
        ("cron", "0;0 9 * * 1", ()),
        ("cron", f"{'9' * 5000} 9 * * *", ()),
        ("cron", f"{'9' * 150} 9 * * *", ("39 9 * * *",)),
        ("cron", "0 0 30 2 *", ("0 0 L 2 *",)),
        ("cron", "0 0 31 4,6 *", ("0 0 L 4,6 *",)),
        ("cron", "0 0 * 2 MON#5", ()),
        ("cron", "0 0 29 2 */7", ()),
        ("cron", "* * * * *", ("*/5 * * * *",)),
        ("cron", "1-59/3 8-10 * * *", ("*/5 8-10 * * *",)),
        ("zone", "berlin", (BERLIN,)),
        ("zone", "New York", ("America/New_York",)),
        ("zone", "Europ/Berln", (BERLIN,)),
        ("zone", "CET", (BERLIN, "Europe/Paris")),
        ("zone", "pst", ("America/Los_Angeles", "Asia/Manila")),
        ("zone", "UTC+2", ()),
        ("zone", "+02:00", ()),
        ("zone", "", ()),
        ("zone", "Factory", ()),
        ("zone", "../../etc/passwd", ()),
        ("zone", "right/UTC", ("Etc/UTC", "UTC")),
        ("zone", "Europe/Berlin\0", (BERLIN,)),
        ("zone", "x" * 5000, ()),
    ],
)
def test_what_means_nothing_is_refused_with_the_closest_value(flag: str, typed: str, closest: tuple[str, ...]) -> None:
    given_words = {"zone": BERLIN, **({} if flag == "cron" else {"at": "09:00"}), flag: typed}
    with pytest.raises(TimingError) as caught:
        timing(**given_words)
    error = caught.value
    assert error.what
    assert error.why
    assert error.fix
    assert error.closest == closest
    assert not closest or error.instead_of == typed
    assert len(error.what) < 150
    for each in closest:
        timing(**{**given_words, flag: each})


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({}, "It does not say at what time."),
        ({"on": "mon"}, "It does not say at what time."),
        ({"at": "09:00", "cron": "0 9 * * *"}, "--cron and --at do not go together."),
        ({"on": "mon", "cron": "0 9 * * *"}, "--cron and --on do not go together."),
    ],
)
def test_a_time_or_a_cron_expression_is_needed_and_not_both(words: dict[str, str], what: str) -> None:
    with pytest.raises(TimingError) as caught:
        timing(zone=BERLIN, **words)
    assert caught.value.what == what
    assert caught.value.fix


def test_a_cron_that_only_means_times_the_zone_leaves_out_is_refused_there_alone() -> None:
    night = "30 */24 8-14 3 */7"  # half past midnight of the Sunday when Havana has no such time
    assert timing(cron=night, zone=BERLIN)
    with pytest.raises(TimingError, match="never comes"):
        timing(cron=night, zone="America/Havana")


def test_a_machine_without_zones_is_told_of_and_not_the_person_who_asks() -> None:
    program = (
        "import sys; sys.modules['tzdata'] = None\n"
        "from bot.domain.errors import OurError\n"
        "from bot.timetable import timing\n"
        "try: timing(at='09:00', zone='Europe/Berlin')\n"
        "except OurError as error: print(error.what, error.fix)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "no time zones" in done.stdout
    assert "install tzdata" in done.stdout


_PIECES = some.lists(
    some.sampled_from([*"0159*/,-#L?@; ", "MON", "fri", "LW", "30", " 2 ", "99", "é", "²"]), max_size=24
)


@settings(max_examples=400, deadline=500)
@given(
    some.sampled_from(["at", "on", "cron", "zone"]),
    some.one_of(some.text(max_size=300), _PIECES.map("".join)),
)
def test_no_words_hang_it_or_break_it(flag: str, typed: str) -> None:
    try:
        found = timing(**{"zone": BERLIN, **({} if flag == "cron" else {"at": "09:00"}), flag: typed})
    except AskError:
        return
    assert len(slots(found, after=at("2026-11-21"), most=3)) == 3


_ANY_FIELD = some.sampled_from(
    ["*", "*/2", "*/7", "0", "1", "5", "1-4", "1-5/2", "L", "LW", "2#5", "6L", "30", "31", "*/31"]
)


@settings(max_examples=400, deadline=500)
@given(some.tuples(*[_ANY_FIELD] * 5).map(" ".join))
def test_what_is_taken_is_due_at_least_every_eight_years_and_the_rest_is_refused_at_once(cron: str) -> None:
    try:
        found = timing(cron=cron, zone="America/New_York")
    except TimingError:
        return
    now = at("2026-11-21")
    assert next_slot(found, now).at < now + 9 * 366 * DAY


# ------------------------------------------------------------------ slots by hand


@pytest.mark.parametrize(
    ("zone", "words", "after", "due"),
    [
        (BERLIN, {"at": "09:00"}, "2026-10-24T07:00", [("2026-10-25T09:00", "2026-10-25T08:00")]),
        (BERLIN, {"at": "09:00"}, "2026-10-24T06:59:59", [("2026-10-24T09:00", "2026-10-24T07:00")]),
        # Autumn: 02:30 is shown at 00:30 and 01:30 UTC.
        (
            BERLIN,
            {"at": "02:30"},
            "2026-10-24T12:00",
            [("2026-10-25T02:30", "2026-10-25T00:30"), ("2026-10-26T02:30", "2026-10-26T01:30")],
        ),
        (
            BERLIN,
            {"cron": "0 * * * *"},
            "2026-10-24T23:00",
            [("2026-10-25T02:00", "2026-10-25T00:00"), ("2026-10-25T03:00", "2026-10-25T02:00")],
        ),
        # Spring: from 02:00 to 03:00 there is nothing.
        (
            BERLIN,
            {"at": "02:30"},
            "2026-03-28T12:00",
            [("2026-03-29T02:30", "2026-03-29T01:00"), ("2026-03-30T02:30", "2026-03-30T00:30")],
        ),
        (
            BERLIN,
            {"at": "02:10,02:30,03:00,03:30"},
            "2026-03-28T12:00",
            [("2026-03-29T03:00", "2026-03-29T01:00"), ("2026-03-29T03:30", "2026-03-29T01:30")],
        ),
        (BERLIN, {"at": "02:10,02:30"}, "2026-03-28T12:00", [("2026-03-29T02:30", "2026-03-29T01:00")]),
        (
            BERLIN,
            {"cron": "*/30 * * * *"},
            "2026-03-29T00:00",
            [("2026-03-29T01:30", "2026-03-29T00:30"), ("2026-03-29T03:00", "2026-03-29T01:00")],
        ),
        (
            BERLIN,
            {"cron": "20 * * * *"},
            "2026-03-29T00:00",
            [("2026-03-29T01:20", "2026-03-29T00:20"), ("2026-03-29T03:20", "2026-03-29T01:20")],
        ),
        ("Australia/Lord_Howe", {"at": "02:15"}, "2026-10-03T12:00", [("2026-10-04T02:15", "2026-10-03T15:30")]),
        ("Australia/Lord_Howe", {"at": "01:45"}, "2026-04-04T12:00", [("2026-04-05T01:45", "2026-04-04T14:45")]),
        ("Antarctica/Troll", {"at": "01:30"}, "2026-03-28T12:00", [("2026-03-29T01:30", "2026-03-29T01:00")]),
        ("Africa/Casablanca", {"at": "02:30"}, "2026-03-21T12:00", [("2026-03-22T02:30", "2026-03-22T02:00")]),
        # The gap ends at midnight: the day's slot comes with the first minute of the next one.
        ("America/Nuuk", {"at": "23:30"}, "2026-03-28T12:00", [("2026-03-28T23:30", "2026-03-29T01:00")]),
        # Samoa went from the 29th to the 31st.
        (
            "Pacific/Apia",
            {"at": "09:00"},
            "2011-12-29T12:00",
            [("2011-12-29T09:00", "2011-12-29T19:00"), ("2011-12-31T09:00", "2011-12-30T19:00")],
        ),
        ("Asia/Kathmandu", {"at": "09:00"}, "2026-11-21T00:00", [("2026-11-21T09:00", "2026-11-21T03:15")]),
        ("UTC", {"at": "09:00", "on": "last"}, "2027-02-01T00:00", [("2027-02-28T09:00", "2027-02-28T09:00")]),
    ],
)  # fmt: skip
def test_a_slot_is_a_wall_time_and_comes_once(
    zone: str, words: dict[str, str], after: str, due: list[tuple[str, str]]
) -> None:
    expected = tuple(Slot(key, at(when)) for key, when in due)
    assert slots(timing(zone=zone, **words), after=at(after), most=len(due)) == expected


def test_a_plan_whose_zone_is_gone_says_so() -> None:
    with pytest.raises(TimingError) as caught:
        next_slot(Timing("0 9 * * *", "Europe/Berlim", "daily at 09:00"), at("2026-11-21"))
    assert caught.value.closest == (BERLIN,)


def test_a_plan_that_never_comes_ends_and_says_so() -> None:
    plan = Timing("30 */24 8-14 3 */7", "America/Havana", "x")
    assert slots(plan, after=at("2026-11-21"), most=3) == ()
    with pytest.raises(TimingError, match="never comes"):
        next_slot(plan, at("2026-11-21"))


# ------------------------------------------------------------------ slots against clocks walked step by step

STEP = timedelta(minutes=5)
BEGIN, END = at("2024-01-01"), at("2034-12-31")
#: Words of a plan, its wall times as minutes of the day, its weekdays (Monday 0), and whether it leaves out gaps.
Told = tuple[dict[str, str], frozenset[int], frozenset[int], bool]
ALL_DAYS = frozenset(range(7))
TIMES = "00:00,00:30,01:15,01:30,02:00,02:15,02:30,02:55,03:00,03:05,23:30"
PLANS: tuple[Told, ...] = (
    ({"at": "09:00"}, frozenset({540}), ALL_DAYS, False),
    ({"at": "02:30"}, frozenset({150}), ALL_DAYS, False),
    ({"at": "00:30", "on": "mon-fri"}, frozenset({30}), frozenset(range(5)), False),
    ({"at": "01:30", "on": "sun,fri"}, frozenset({90}), frozenset({4, 6}), False),
    ({"at": TIMES}, frozenset(int(t[:2]) * 60 + int(t[3:]) for t in TIMES.split(",")), ALL_DAYS, False),
    ({"cron": "0 * * * *"}, frozenset(range(0, 1440, 60)), ALL_DAYS, True),
    ({"cron": "*/30 * * * *"}, frozenset(range(0, 1440, 30)), ALL_DAYS, True),
    ({"cron": "15 0-23 * * 0-5"}, frozenset(range(15, 1440, 60)), ALL_DAYS - {5}, False),
)


def changes(zone: ZoneInfo) -> tuple[tuple[datetime, timedelta], ...]:
    """The first midnight (UTC) after each change of the zone's clock, and its offset from then on."""
    found, known = [], None
    for days in range((END - BEGIN).days):
        now = BEGIN + days * DAY
        offset = now.astimezone(zone).utcoffset()
        if offset != known:
            assert offset is not None
            found.append((now, offset))
            known = offset
    return tuple(found)


@cache
def clocks() -> tuple[tuple[str, tuple[datetime, ...]], ...]:
    """All zones of the list, those alike in these years told by one, with the days after changes."""
    alike: dict[tuple[tuple[datetime, timedelta], ...], str] = {}
    for name in sorted(
        available_timezones() - {"Factory", "localtime", "CET", "EET", "EST", "HST", "MET", "MST", "WET"}
    ):
        alike.setdefault(changes(ZoneInfo(name)), name)
    return tuple((name, tuple(day for day, _ in seen[1:])) for seen, name in alike.items())


def expected(told: Told, zone: ZoneInfo, low: datetime, high: datetime) -> list[Slot]:
    """The slots with low < at <= high, found by looking at the clock every five minutes."""
    _, minutes, weekdays, leaves_out = told
    first: dict[datetime, datetime] = {}
    now = low - 30 * HOUR
    while now <= high + 30 * HOUR:
        first.setdefault(now.astimezone(zone).replace(tzinfo=None, fold=0), now)
        now += STEP
    shown = sorted(first)
    meant: dict[datetime, datetime] = {}
    upcoming = iter(shown)
    mark = next(upcoming)
    wall = shown[0]
    while wall < shown[-1]:
        while mark < wall:
            mark = next(upcoming)
        exists = wall in first
        if wall.weekday() in weekdays and wall.hour * 60 + wall.minute in minutes and (exists or not leaves_out):
            meant[first[mark]] = wall  # the latest of those that fall together
        wall += STEP
    return [Slot(f"{wall:%Y-%m-%dT%H:%M}", now) for now, wall in sorted(meant.items()) if low < now <= high]


@pytest.mark.parametrize(
    ("words", "moment", "before"),
    [
        ({"at": "09:00"}, "2026-11-20T08:00", "2026-11-19T08:00"),
        ({"at": "09:00", "on": "mon-fri"}, "2026-11-23T08:00", "2026-11-20T08:00"),  # on a Monday, Friday's
        ({"at": "09:00", "on": "mon"}, "2026-11-23T08:00", "2026-11-16T08:00"),
        ({"at": "09:00"}, "2026-10-25T08:00", "2026-10-24T07:00"),  # a day of 25 hours
        ({"cron": "*/5 * * * *"}, "2026-11-20T08:00", "2026-11-20T07:55"),
        ({"cron": "0 9 1 * *"}, "2026-12-01T08:00", "2026-11-01T08:00"),
        ({"cron": "0 9 1 1 *"}, "2026-11-20T08:00", None),
    ],
)
def test_the_slot_before_is_the_last_one(words: dict[str, str], moment: str, before: str | None) -> None:
    found = slot_before(timing(zone=BERLIN, **words), at(moment))
    assert found == (at(before) if before else None)


def test_around_every_change_of_every_zone_slots_are_what_the_clock_shows() -> None:
    seen = 0
    for name, days in clocks():
        zone = ZoneInfo(name)
        plans = [timing(zone=name, **told[0]) for told in PLANS]
        for turn, day in enumerate(days or (at("2026-06-01"),)):
            which = (seen + turn) % len(PLANS)
            # Two plans for each change, another two for the next one.
            for index in {which, (which + 3) % len(PLANS)}:
                low, high = day - 2 * DAY, day + DAY
                found = list(slots_between(plans[index], low, high))
                assert found == expected(PLANS[index], zone, low, high), (name, day, PLANS[index][0])
                seen += 1
    assert seen > 1000


def test_every_local_day_of_ten_years_has_one_slot_in_every_zone() -> None:
    for name, days in clocks():
        until = END if days else BEGIN + 366 * DAY
        plan = timing(at="02:30" if len(name) % 2 else "00:15", zone=name)
        found = list(slots_between(plan, BEGIN, until))
        dates = [date.fromisoformat(slot.key[:10]) for slot in found]
        assert dates == [dates[0] + n * DAY for n in range(len(dates))], name
        assert abs(len(dates) - (until - BEGIN).days) <= 1, name
        assert all(one.at < other.at for one, other in pairwise(found)), name


_ZONES = some.sampled_from(
    [BERLIN, "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "America/Nuuk", "America/Havana", "UTC"]
)
_PLANS = some.one_of(
    some.sampled_from([told[0] for told in PLANS]),
    some.sets(some.integers(0, 47), min_size=1, max_size=6).map(
        lambda halves: {"at": ",".join(f"{half // 2:02}:{half % 2 * 30:02}" for half in halves)}
    ),
)


@settings(max_examples=120, deadline=None)
@given(
    _ZONES,
    _PLANS,
    some.sampled_from([(2026, 3, 28), (2026, 10, 24), (2026, 3, 8), (2026, 4, 4), (2026, 10, 3), (2026, 2, 14)]),
    some.lists(some.integers(0, 72 * 60 * 60), max_size=8),
)
def test_spans_laid_end_to_end_give_each_slot_once(
    zone: str, words: dict[str, str], day: tuple[int, int, int], cuts: list[int]
) -> None:
    plan = timing(zone=zone, **words)
    begin = datetime(*day, tzinfo=UTC)
    marks = [begin, *sorted(begin + timedelta(seconds=cut) for cut in cuts), begin + 3 * DAY]
    whole = list(slots_between(plan, marks[0], marks[-1]))
    pieces = [slot for low, high in pairwise(marks) for slot in slots_between(plan, low, high)]
    assert pieces == whole == list(_one_by_one(plan, marks[0], marks[-1]))
    assert [slot.key for slot in whole] == sorted({slot.key for slot in whole})


def _one_by_one(plan: Timing, after: datetime, until: datetime) -> Iterator[Slot]:
    slot = next_slot(plan, after)
    while slot.at <= until:
        yield slot
        slot = next_slot(plan, slot.at)


# ------------------------------------------------------------------ cheap


def test_the_next_slots_of_ten_thousand_plans_cost_well_under_a_second() -> None:
    zones = [name for name, _ in clocks()]
    plans = [
        timing(at=f"{n % 24:02}:{n % 60:02}", on=("mon-fri", "daily", "1st")[n % 3], zone=zones[n % len(zones)])
        for n in range(1000)
    ] * 10
    now = at("2026-11-21T08:59")
    took = []
    for _ in range(3):
        start = time.process_time()
        for plan in plans:
            next_slot(plan, now)
        took.append(time.process_time() - start)
    assert min(took) < 1, took
