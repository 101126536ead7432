"""What digests promise: one message that begins with whether anybody must act, the rest below it, nobody called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bot.domain.answers import Trouble
from bot.domain.digests import DigestNews, DigestPlan, PlanLook, Sending, Slot, StreamNews, Timing, Turn
from bot.domain.errors import NotFoundError, OurError, RundownError
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Tally
from bot.mailroom import _FINAL
from bot.presenters import messages
from bot.presenters.message import Message
from bot.presenters.plans import command
from bot.sandbox.slack.blockkit import text_weight
from bot.slack.grammar import Grammar
from tests.presenters import hostile
from tests.presenters.samples import (
    API,
    BAD_DAY,
    COMING,
    DIGEST,
    DOWN,
    FIRST,
    GREEN,
    HUGE,
    LIST,
    LOOK,
    MIXED,
    NIGHTLY,
    NOW,
    PARCEL,
    QUIET,
    REGRESSION,
    RELEASE,
    RUNNING,
    SCHEDULED,
    SEARCH,
    SLOT,
    STUCK,
    WEB,
    failing,
)
from tests.presenters.snapshots import readable
from tests.presenters.test_message_any_input import ANY

SILENT = (Trouble("practitest", DOWN),)


def first_line(message: Message) -> str:
    first: str = message.blocks[0]["text"]["text"]
    return first.split("\n", maxsplit=1)[0]


def told(message: Message) -> str:
    """The first message alone."""
    return readable(Message(message.text, message.blocks))


def pressable(message: Message) -> list[tuple[str, str]]:
    return [
        (element["action_id"], element["value"])
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def news(*streams: StreamNews, **more: Any) -> DigestNews:
    plain: dict[str, Any] = {
        "unfinished": (), "stale": (), "owners": (), "clusters": (), "troubles": (), "notes": (), "passed": 0,
    }  # fmt: skip
    return replace(BAD_DAY, streams=streams, **(plain | more))


def streams(many: int, like: StreamNews = WEB) -> tuple[StreamNews, ...]:
    return tuple(replace(like, run=replace(NIGHTLY, ref=RunRef("testmo", "A", n), name=f"S{n}")) for n in range(many))


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (news(WEB), "💥 *1 stream broke*"),
        (news(WEB, WEB, API, SEARCH, passed=41), "💥 *2 streams broke, 1 still failing, 1 recovered* · 41 passed"),
        (news(API, API), "❌ *2 streams still failing*"),
        (news(SEARCH, passed=3), "🎉 *1 stream recovered* · nothing fails · 3 passed"),
        (news(replace(GREEN, turn=Turn.FLAKY), passed=1), "🎲 *1 stream flaky* · 1 passed"),
        (news(GREEN, passed=1, unfinished=(RUNNING, RUNNING)), "⏱️ *2 runs unfinished* · 1 stream passed"),
        (news(stale=(STUCK,)), "💤 *1 run stale*"),
        (news(API, unfinished=(RUNNING,)), "❌ *1 stream still failing, 1 run unfinished*"),
        (news(GREEN, passed=9, troubles=SILENT), "⚠️ *1 system did not answer* · 9 streams passed"),
        (news(SEARCH, passed=9, troubles=SILENT), "⚠️ *1 stream recovered, 1 system did not answer* · 9 passed"),
        (news(WEB, troubles=SILENT * 3), "💥 *1 stream broke, 1 system did not answer*"),
    ],
)
def test_the_first_line_tells_whether_to_act_and_the_worst_first(value: DigestNews, line: str) -> None:
    assert first_line(messages.digest(value, now=NOW)) == line


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, "✅ *nightly* – all 14 streams passed since 2026-11-19 08:00 UTC (52 runs). Digest of Ana Kovač."),
        ({"passed": 1, "runs": 1}, "✅ *nightly* – the only stream passed since 2026-11-19 08:00 UTC (1 run). Digest"),
        ({"passed": 0, "runs": 0, "streams": ()}, "💤 *nightly* – no run ended since 2026-11-19 08:00 UTC. Digest of"),
        ({"late_min": 9, "skipped": 1}, "(52 runs). ⏰ 9 min late · 1 before it was missed. Digest of Ana"),
        (
            {"plan": replace(DIGEST, what=("unfinished", "stale")), "passed": 0, "runs": 0},
            "✅ *nightly* – nothing is unfinished or stale. Digest of Ana Kovač.",
        ),
    ],
)
def test_a_quiet_day_is_one_line(change: dict[str, Any], line: str) -> None:
    message = messages.digest(replace(QUIET, **change), now=NOW)
    assert line in readable(message)
    assert (len(message.blocks), message.more) == (1, ())


def test_a_quiet_day_is_told_whole_where_that_is_wanted() -> None:
    message = messages.digest(replace(QUIET, plan=replace(DIGEST, if_empty="post")), now=NOW)
    assert first_line(message) == "✅ *All 14 streams passed*"
    assert "✅ *Passed*  Smoke  `A415`" in readable(message)


def test_a_quiet_day_with_gaps_is_not_called_whole() -> None:
    text = readable(messages.digest(replace(QUIET, notes=("Testmo automation runs: page 7 of 12",)), now=NOW))
    assert "⚠️ *Partial* – Testmo automation runs: page 7 of 12 is missing" in text


def test_a_stream_tells_what_became_of_it_in_two_lines() -> None:
    text = told(messages.digest(news(API, WEB), now=NOW))
    assert "❌ *Still failing* for 6 runs, since 2026-11-14 08:00 UTC  API contract  `A409`\n" in text
    assert "💥 *Broke*  Nightly web  `A412`\n" in text
    assert (
        "15 of 640 tests failed · 3 new, 12 still, 1 fixed, 3 flaky · 3 of 4 runs failed · ▇▇▇▇▆▆▆ pass rate " in text
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"at_least": True}, "*Still failing* for at least 6 runs, since"),
        ({"broken_since": None}, "*Still failing* for 6 runs  API contract"),
        ({"runs": 1, "failed": 1}, "5 of 90 tests failed · 2 still · ▆▆▆"),
        ({"runs": 3, "failed": 0, "turn": Turn.FLAKY}, "5 of 90 tests failed · 2 still · 3 runs · ▆▆▆"),
        ({"turn": Turn.FIXED, "still": 0, "fixed": 12}, "*Recovered*  API contract"),
        ({"turn": Turn.FIXED, "still": 0, "fixed": 12}, " · 12 fixed · "),
        ({"missing": ("page 2 of 3",)}, " in 3 runs · partial"),
        ({"trend": (), "broken_for": 1}, "5 of 90 tests failed · 2 still · no earlier run to compare with"),
        ({"run": replace(API.run, tally=Tally(blocked=2, untested=3))}, "0 of 5 passed · 2 blocked · 3 untested"),
        ({"run": replace(API.run, tally=Tally(), missing=("its counts could not be read",))}, "counts not read"),
    ],
)
def test_a_stream_tells_only_what_is_known(change: dict[str, Any], line: str) -> None:
    assert line in told(messages.digest(news(replace(API, **change)), now=NOW))


@pytest.mark.parametrize(("run", "marked"), [(RELEASE, True), (NIGHTLY, False)])
def test_streams_that_may_be_manual_say_so(run: Run, marked: bool) -> None:
    assert ("may be manual" in told(messages.digest(news(replace(WEB, run=run)), now=NOW))) is marked


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (BAD_DAY, "3 failing now, 5 of these streams before"),
        (MIXED, "0 failing now, 1 of these streams before"),
        (FIRST, "the first digest, with none before it to compare with"),
    ],
)
def test_it_is_compared_with_the_last_one(value: DigestNews, line: str) -> None:
    assert line in told(messages.digest(value, now=NOW))


def test_a_digest_of_open_runs_alone_compares_no_failures() -> None:
    value = news(plan=replace(DIGEST, what=("stale",)), stale=(STUCK,))
    assert "failing now" not in readable(messages.digest(value, now=NOW))


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (news(WEB, belated=1), "⏰ 1 of these runs ended before the last digest, which could not see it."),
        (news(belated=2, runs=2), "⏰ 2 of these runs ended before the last digest, which could not see them."),
    ],
)
def test_runs_that_are_told_late_are_no_gap(value: DigestNews, line: str) -> None:
    text = told(messages.digest(value, now=NOW))
    assert line in text
    assert "Partial" not in text


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (news(WEB, runs=8), " · 8 runs since 2026-11-19 08:00 UTC\n3 failing"),
        (news(stale=(STUCK,), runs=0), " · no run ended since 2026-11-19 08:00 UTC\n"),
        (news(troubles=SILENT, runs=0), " · no run was seen since 2026-11-19 08:00 UTC\n"),
        (news(plan=replace(DIGEST, what=("stale",)), stale=(STUCK,), runs=0), "*nightly* · Testmo › Webshop"),
    ],
)
def test_the_runs_since_the_last_one_are_counted_where_it_looks_at_them(value: DigestNews, line: str) -> None:
    text = told(messages.digest(replace(value, before=3), now=NOW)).replace("1 failing now", "3 failing now")
    assert line in text + "\n"
    assert "0 runs" not in text


def test_where_nothing_could_be_seen_nothing_is_said_to_fail_or_not() -> None:
    assert "failing now" not in told(messages.digest(news(troubles=SILENT, runs=0, before=0), now=NOW))


def test_unfinished_and_stale_runs_are_never_among_the_failed() -> None:
    message = messages.digest(news(unfinished=(RUNNING,) * 7, stale=(STUCK,)), now=NOW)
    text = told(message)
    assert "⏱️ *7 unfinished*  at work for longer than usual, not failed\n• API contract  `A416`" in text
    assert "and 2 more" in text
    assert "💤 *1 stale*" in text
    assert "Broke" not in text
    assert message.more == ()


def test_the_stream_that_is_broken_longest_is_named() -> None:
    assert "Broken longest is API contract  `A409`, for 6 runs" in told(messages.digest(BAD_DAY, now=NOW))
    assert "Broken longest" not in readable(messages.digest(news(API), now=NOW))
    assert "Broken longest" not in readable(messages.digest(news(WEB, WEB), now=NOW))
    assert "Broken longest" not in readable(messages.digest(news(WEB, API), now=NOW))


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (news(WEB, troubles=SILENT * 2), "⚠️ *PractiTest answered 503.* It is not in this digest; it may answer again"),
        (news(WEB, troubles=(Trouble("testmo", DOWN),)), "answered 503.* Some of its runs are not in this digest;"),
    ],
)
def test_a_system_that_did_not_answer_is_a_line_told_once(value: DigestNews, line: str) -> None:
    text = told(messages.digest(value, now=NOW))
    assert text.count("⚠️ *") == 1
    assert line in text


@pytest.mark.parametrize(
    ("late_min", "skipped", "line"),
    [
        (9, 0, "⏰ 9 min late\n"),
        (9, 2, "⏰ 9 min late · 2 before it were missed\n"),
        (95, 0, "⏰ 1 h 35 min late\n"),
        (1, 1, "⏰ 1 before it was missed\n"),
    ],
)
def test_a_late_digest_says_so(late_min: int, skipped: int, line: str) -> None:
    assert line in readable(messages.digest(replace(BAD_DAY, late_min=late_min, skipped=skipped), now=NOW))


def test_one_that_is_a_minute_late_is_on_time() -> None:
    assert "⏰" not in readable(messages.digest(replace(BAD_DAY, late_min=1), now=NOW))


def test_the_footer_tells_which_digest_whose_and_why() -> None:
    assert (
        "  Digest *nightly* of Ana Kovač · mon-fri at 09:00 (Europe/Berlin) · tells of failed and unfinished runs · "
        "source nightly-web\n"
    ) in told(messages.digest(BAD_DAY, now=NOW))


def test_its_buttons_lead_to_the_worst_and_to_the_digest() -> None:
    assert pressable(messages.digest(BAD_DAY, now=NOW)) == [
        ("ask:failures", "failures testmo:A412"),
        ("ask:digest show", "digest show nightly"),
        ("open:run", "show testmo:A412"),
    ]
    assert pressable(messages.digest(MIXED, now=NOW)) == [("ask:digest show", "digest show nightly")]


@pytest.mark.parametrize(("many", "shown", "rest"), [(12, 12, 0), (13, 12, 1), (400, 12, 388)])
def test_twelve_streams_stand_in_the_first_message_all_of_them_in_the_thread(many: int, shown: int, rest: int) -> None:
    message = messages.digest(news(*streams(many)), now=NOW)
    text = told(message)
    assert text.count("💥 *Broke*") == shown
    assert (f"and {rest} more; see the thread" in text) is (many > shown)
    full = [more for more in message.more if more.text.startswith(f"{many} streams to look at")]
    assert bool(full) is (many > shown)
    assert sum(readable(more).count("💥 *Broke*") for more in message.more) == (min(many, 100) if full else 0)


def test_what_does_not_fit_one_message_is_named_in_the_thread() -> None:
    """Addresses as long as they come: fewer streams in the first message, and none of them lost."""
    long = replace(WEB, tests=(), tests_total=0, new=0, still=0, fixed=0, flaky=0)
    rows = tuple(
        replace(long, run=replace(NIGHTLY, name=f"{n} " + "&" * 90, page="https://a.example/" + "x" * 370 + "/{{id}}"))
        for n in range(12)
    )
    message = messages.digest(news(*rows, where="&" * 300, notes=("&" * 300,)), now=NOW)
    assert "more; see the thread" in told(message)
    assert sum(readable(more).count("💥 *Broke*") for more in message.more) == 12


def test_failing_tests_stand_by_stream_the_new_ones_first() -> None:
    tests = (failing(5, runs=4), failing(6), failing(7, runs=12))
    message = messages.digest(news(replace(WEB, tests=tests, tests_total=30)), now=NOW)
    (thread,) = message.more
    text = readable(thread)
    places = [text.index(words, text.index("*Nightly web*")) for words in ("voucher 6 –", "voucher 5 ·", "voucher 7 ·")]
    assert places == sorted(places)
    assert "🆕 *New*  checkout › pays with voucher 6 – Timeout after 30 s" in text
    assert "voucher 5 · failing for 4 runs, since 2026-11-16 08:00 UTC – Timeout" in text
    assert "voucher 7 · failing for at least 12 runs" in text
    assert "cookie banner, see the…\n" in text
    assert "and 27 more" in text
    assert thread.blocks[1]["accessory"]["value"] == "failures testmo:A412"


@pytest.mark.parametrize(("many", "of_each"), [(1, 15), (2, 15), (4, 10), (12, 3)])
def test_many_failing_streams_share_the_room_for_their_tests(many: int, of_each: int) -> None:
    message = messages.digest(news(*streams(many)), now=NOW)
    text = "".join(readable(more) for more in message.more).split("failing tests*", 1)[1]
    assert text.count(" – Timeout") == many * of_each


def test_failing_tests_without_names_are_counted() -> None:
    text = "".join(readable(more) for more in messages.digest(news(REGRESSION), now=NOW).more)
    assert "*3 failing tests* in 1 stream" in text
    assert "3 without a name; the system only counts them" in text


@pytest.mark.parametrize(
    ("failed", "change", "words"),
    [
        (10, {}, "1 more that failed, and passed on retry or have no name"),
        (9, {}, ""),
        (10, {"missing": ("page 2 of 2",)}, ""),
        (10, {"unnamed": 1}, ""),
    ],
)
def test_failures_that_are_none_of_the_failing_tests_are_accounted_for(
    failed: int, change: dict[str, Any], words: str
) -> None:
    run = replace(NIGHTLY, tally=Tally(passed=73, failed=failed))
    value = replace(WEB, run=run, tests=WEB.tests[:9], tests_total=9, **change)
    text = "".join(readable(more) for more in messages.digest(news(value), now=NOW).more)
    assert words in text
    assert ("more that failed" in text) is bool(words)


@pytest.mark.parametrize(
    ("tally", "line"),
    [
        (Tally(passed=80, skipped=2), "80 of 82 passed · 2 skipped"),
        (Tally(passed=80, retest=1, running=1), "80 of 82 passed · 1 to retest · 1 running"),
        (Tally(passed=80, failed=1, skipped=1), "1 of 82 tests failed"),
    ],
)
def test_what_neither_passed_nor_failed_is_accounted_for_where_nothing_failed(tally: Tally, line: str) -> None:
    value = news(replace(SEARCH, run=replace(SEARCH.run, tally=tally)))
    assert f"\n{line} · 1 of 2 runs failed" in told(messages.digest(value, now=NOW))


def test_shared_errors_and_owners_stand_in_the_thread_and_nobody_is_called() -> None:
    names = tuple(f"t{n}" for n in range(8))
    value = news(WEB, owners=(("<@U0ANA00001>", names), ("", ("x",))), clusters=BAD_DAY.clusters)
    _, errors, owners = messages.digest(value, now=NOW).more
    assert (
        "*4 failures of 3 tests* in 2 streams – Timeout after # s while waiting for #cart\nlogin, search, cart"
        in readable(errors)
    )
    assert "*<@U0ANA00001>* – 8 tests · t0, t1, t2, t3, t4 and 3 more\n*nobody* – 1 test · x" in readable(owners)
    assert "<@" not in "".join(str(more.blocks) for more in messages.digest(value, now=NOW).more)


def test_a_test_that_fails_in_several_streams_is_one_of_its_owner_and_that_is_said() -> None:
    both = news(WEB, API, owners=(("Ana", tuple(f"t{n}" for n in range(16))),))
    assert "*Failing tests by owner*, those that fail in several streams once" in readable(
        messages.digest(both, now=NOW).more[-1]
    )
    each = news(WEB, API, owners=(("Ana", tuple(f"t{n}" for n in range(17))),))
    assert "in several streams" not in readable(messages.digest(each, now=NOW).more[-1])


def test_owners_that_nobody_knows_are_not_told() -> None:
    assert len(messages.digest(news(WEB, owners=(("", ("x",)),)), now=NOW).more) == 1


@pytest.mark.parametrize("value", [BAD_DAY, HUGE, MIXED, FIRST])
def test_what_goes_into_the_thread_has_no_thread_of_its_own(value: DigestNews) -> None:
    assert [more for more in messages.digest(value, now=NOW).more if more.more] == []


@ANY
@given(hostile.news)
def test_any_digest_begins_with_one_message_that_slack_takes(value: DigestNews) -> None:
    message = messages.digest(value, now=NOW)
    assert len(message.blocks) <= 50
    assert text_weight(message.blocks) < 12_000
    assert [more for more in message.more if more.more] == []


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (NotFoundError("No such project.", fix="Try `here`."), ("↩️", "Try `here`.", "Somebody here has to change")),
        (DOWN, ("⚠️", "PractiTest answered 503.", "Nobody here has to do anything.", "It may go again after 2026-")),
        (OurError("sqlite3: disk I/O error"), ("🔧", "Something went wrong in Rundown.", "our mistake")),
    ],
)
def test_one_that_could_not_be_made_says_why_and_whose_move_it_is(error: RundownError, lines: tuple[str, ...]) -> None:
    text = readable(messages.digest_failed(DIGEST, error, slot=SLOT, now=NOW))
    assert [line for line in lines if line not in text] == []
    assert "the digest of Fri 20 Nov 09:00 could not be made" in text
    assert "disk" not in text


def test_one_that_was_missed_is_told_with_those_before_it() -> None:
    text = readable(messages.digest_missed(DIGEST, SLOT, skipped=2, now=NOW + timedelta(hours=13)))
    assert "⏰ *nightly* – the digest of Fri 20 Nov 09:00 was missed: it could not be posted then" in text
    assert "then, and 13 h have passed since. 2 before it were missed" in text
    assert "2 before it were missed" in text


def test_a_scheduled_answer_stands_between_what_it_is_and_whose() -> None:
    answer = messages.run_list(LIST, again="list", now=NOW, shareable=False)
    message = messages.digest_answer(SCHEDULED, answer, slot=SLOT, now=NOW)
    assert message.blocks[1:-1] == answer.blocks
    assert message.blocks[0]["elements"][0]["text"] == "⏰ *old runs* · Fri 20 Nov 09:00 · `list --older-than 14d`"
    assert "Digest *old runs* of Ana Kovač" in message.blocks[-1]["elements"][0]["text"]


def test_a_scheduled_answer_as_long_as_slack_takes_goes_on_in_its_thread() -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x", "verbatim": True}}
    answer = Message("Long.", [block] * 50, (Message("More.", [block]),))
    message = messages.digest_answer(SCHEDULED, answer, slot=SLOT, now=NOW)
    assert len(message.blocks) == 50
    assert [len(more.blocks) for more in message.more] == [2, 1]


@pytest.mark.parametrize(
    ("zone", "reader", "at", "lines"),
    [
        ("Europe/Berlin", "Asia/Tokyo", (8, 0), ("*Next* Mon 23 Nov 09:00", "that is Mon 23 Nov 17:00")),
        ("Europe/Berlin", "America/Los_Angeles", (5, 0), ("Mon 23 Nov 06:00", "that is Sun 22 Nov 21:00")),
        ("Europe/Berlin", "Europe/Paris", (8, 0), ("*Next* Mon 23 Nov 09:00",)),
        ("Europe/Berlin", "Nowhere/Land", (8, 0), ("Mon 23 Nov 09:00", "that is Mon 23 Nov 08:00")),
        ("Asia/Kolkata", "Asia/Kolkata", (3, 30), ("*Next* Mon 23 Nov 09:00",)),
    ],
)
def test_next_times_are_real_local_times(zone: str, reader: str, at: tuple[int, int], lines: tuple[str, ...]) -> None:
    look = PlanLook(
        replace(DIGEST, timing=Timing("0 9 * * *", zone, "every day at 09:00")),
        (Slot("2026-11-23T09:00", datetime(2026, 11, 23, *at, tzinfo=UTC)),),
        reader,
    )
    text = readable(messages.digest_planned(look, now=NOW))
    assert [line for line in lines if line not in text] == []
    assert ("that is" in text.split("*Next*")[1]) is (len(lines) > 1)


def test_times_keep_to_the_wall_clock_across_both_changes() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    days = ((2027, 3, 27), (2027, 3, 28), (2027, 10, 31))
    coming = tuple(Slot("", datetime(*day, 9, tzinfo=berlin).astimezone(UTC)) for day in days)
    text = readable(messages.digest_planned(PlanLook(DIGEST, coming, "Europe/Berlin"), now=NOW))
    assert "*Next* Sat 27 Mar 2027 09:00, Sun 28 Mar 2027 09:00, Sun 31 Oct 2027 09:00  (Europe/Berlin)" in text


@pytest.mark.parametrize(
    ("change", "line", "button"),
    [
        ({}, "📌 *Digest nightly*", "ask:digest pause"),
        (
            {"paused_until": datetime(2026, 12, 23, 23, tzinfo=UTC)},
            "⏸️ *Digest nightly is paused* until Thu 24 Dec 00:00",
            "ask:digest resume",
        ),
        (
            {"paused_until": datetime(9000, 1, 1, tzinfo=UTC)},
            "⏸️ *Digest nightly is paused* until somebody resumes it",
            "ask:digest resume",
        ),
        ({"paused_until": NOW - timedelta(days=1)}, "📌 *Digest nightly*", "ask:digest pause"),
        (
            {"parked": "is_archived"},
            "⛔ *Digest nightly is not posted any more*\nThe channel is archived.",
            "ask:digest resume",
        ),
    ],
)
def test_a_plan_tells_whether_it_runs_and_offers_the_other(change: dict[str, Any], line: str, button: str) -> None:
    message = messages.digest_plan(replace(LOOK, plan=replace(DIGEST, **change)), now=NOW)
    assert line in readable(message)
    assert [action for action, _ in pressable(message)] == [
        "ask:digest test", button, "digest:edit", "ask:digest remove",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["nightly", "release train", 'the "new" one', "a&b", "a <b>", "-x", "R118", "x:y"])
def test_the_commands_of_buttons_mean_this_digest(name: str) -> None:
    plan = replace(DIGEST, name=name)
    read = Grammar().parse(command("show", plan), now=NOW)
    assert (read.verb, read.words) == ("digest show", (name,))


def test_the_last_messages_tell_what_became_of_them() -> None:
    text = readable(messages.digest_plan(LOOK, now=NOW))
    assert "⏳ *Waiting*  of Fri 20 Nov 09:00 · 2026-11-20 08:00 UTC · tried 3 times · Slack is in trouble" in text
    assert (
        "✅ *Posted*  of Thu 19 Nov 09:00 in the thread · 2026-11-20 08:00 UTC · tried once · may be there tw" in text
    )
    assert "✖️ *Not posted*  of Wed 18 Nov 09:00 · 2026-11-20 08:00 UTC · tried once · The channel is archived." in text
    assert "🕳️ *Too late to be posted*  of Tue 17 Nov 09:00 · It could not be posted for 12 hours." in text
    assert "It has posted nothing yet." in readable(messages.digest_plan(replace(LOOK, sent=()), now=NOW))
    assert "and 5 more" in readable(messages.digest_plan(replace(LOOK, sent=(PARCEL,) * 15), now=NOW))


def test_what_was_posted_below_a_digest_has_no_row_unless_something_went_wrong() -> None:
    below = replace(PARCEL, under=PARCEL.key)
    refused = replace(below, state=Sending.REFUSED, posted_at=None, reason="thread_not_found")
    older = replace(below, slot="2025-12-31T09:00")
    text = readable(messages.digest_plan(replace(LOOK, sent=(below, refused, below, PARCEL, older)), now=NOW))
    assert "✅ *Posted*  of Fri 20 Nov 09:00 with 2 messages in its thread · 2026-11-20 08:00 UTC" in text
    assert "✖️ *Not posted*  of Fri 20 Nov 09:00 in the thread" in text
    assert "✅ *Posted*  of Wed 31 Dec 2025 09:00 in the thread" in text, "its first message is not among these"
    assert text.count("Posted") == 2


@pytest.mark.parametrize(
    ("deed", "by", "line"),
    [
        ("set", "Tom Becker", "made by Ana Kovač\n"),
        ("changed", "Tom Becker", "made by Ana Kovač · changed by Tom Becker\n"),
        ("resumed", "", "made by Ana Kovač · resumed by Ana Kovač\n"),
    ],
)
def test_who_changed_a_digest_is_told_to_everybody(deed: str, by: str, line: str) -> None:
    text = readable(messages.digest_planned(LOOK, now=NOW, deed=deed, by=by)) + "\n"
    assert f"*Digest nightly is {deed}*" in text
    assert line in text


@pytest.mark.parametrize(
    ("said", "line"), [("mon-fri at 09:00", "mon-fri at 09:00 (UTC)"), ("0 9 * * 1-5", "cron `0 9 * * 1-5` (UTC)")]
)
def test_a_schedule_is_told_as_it_was_given(said: str, line: str) -> None:
    plan = replace(DIGEST, timing=Timing("0 9 * * 1-5", "UTC", said))
    assert f" · {line}\n" in readable(messages.digest_plan(replace(LOOK, plan=plan), now=NOW))


def test_a_list_tells_what_each_looks_at_and_says_nothing_of_channels_to_a_direct_message() -> None:
    text = readable(messages.digest_plans((LOOK,), now=NOW))
    assert "unfinished runs in `testmo`, project `3` · source" in text
    assert "1 digest here." in text
    assert "channel" not in readable(messages.digest_plans((), now=NOW))


def test_a_list_of_digests_can_be_turned() -> None:
    message = messages.digest_plans((LOOK,) * 12, now=NOW, page=2)
    assert "11 to 12 of 12" in readable(message)
    assert pressable(message) == [("page:prev", "digest list --page 1")]
    assert message.blocks[1]["accessory"]["value"] == "digest show nightly"


@pytest.mark.parametrize("reason", sorted(_FINAL))
def test_every_reason_for_which_a_digest_is_parked_has_words_and_a_way_out(reason: str) -> None:
    words = messages.reason_words(reason)
    assert reason not in words
    assert words.endswith(".")
    assert words in readable(messages.digest_parked(DIGEST, words, now=NOW))
    assert words in readable(messages.digest_parked(DIGEST, reason, now=NOW))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("brand_new_reason", "Slack answers `brand_new_reason`. Whoever runs Rundown can look that up."),
        ("it could not be posted", "It could not be posted."),
        ("", ""),
    ],
)
def test_other_reasons_are_told_as_they_are(reason: str, words: str) -> None:
    assert messages.reason_words(reason) == words


def test_a_possible_repeat_says_so_and_fits() -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    text, blocks = messages.mark_repeat("2 streams broke.", [block] * 50)
    assert text == "This may be a repeat. 2 streams broke."
    assert len(blocks) == 50
    assert blocks[-1]["elements"][0]["text"] == "This may be a repeat."
    assert len(messages.mark_repeat("é" * 1_500, [block])[0].encode()) <= 3_000


def test_a_plan_without_a_name_or_filters_still_has_words() -> None:
    plan = DigestPlan(
        id="x", team="", channel="", name="", owner="", owner_name="", timing=Timing("", "", ""), made_at=NOW
    )
    assert "Digest without a name" in readable(messages.digest_plan(PlanLook(plan, COMING, ""), now=NOW))
