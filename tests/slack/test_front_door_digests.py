"""Digests as people meet them: made in words or by a form, posted at their times, over real sockets."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.sandbox.slack import Message
from tests.slack.digests_kit import newsroom

FRIDAY, SATURDAY, SUNDAY = "2026-11-20T08:10", "2026-11-21T08:10", "2026-11-22T08:10"
OUTSIDE = ("not_in_channel", "channel_not_found")


# ── made ──


async def test_a_digest_is_made_in_words_and_its_next_times_are_told_in_both_zones() -> None:
    async with newsroom() as here:
        made = await here.said("digest add nightly --at 09:00 --on mon-fri")
        assert made.only_for == ""
        assert "mon-fri at 09:00 (Europe/Berlin)" in here.words(made)
        assert "Fri 20 Nov 09:00, Mon 23 Nov 09:00, Tue 24 Nov 09:00" in here.words(made)
        toms = await here.asked("digest show nightly", who="tom")
        assert "Fri 20 Nov 03:00, Mon 23 Nov 03:00, Tue 24 Nov 03:00  (America/New_York)" in toms
        assert "(America/New_York)" in await here.asked("digest add ours --at 09:00", who="tom")
        assert "(Asia/Tokyo)" in await here.asked("digest add far --at 09:00 --tz asia/tokyo", who="tom")
        assert "cron 0 9 * * 1 (Europe/Berlin)" in await here.asked('digest add weekly --cron "0 9 * * 1"')


@pytest.mark.parametrize(
    ("command", "reason", "closest"),
    [
        ("digest add x --at 09:00 --tz Europe/Berln", "not a time zone", "digest add x --at 09:00 --tz Europe/Berlin"),
        ("digest add x --at 25:00", "not a time of day", "digest add x --at 01:00"),
        ("digest add x --at 09:00 --on mo-fr", "no day", "digest add x --at 09:00 --on mon-fri"),
        ('digest add x --cron "0 9 * * 1-9"', "no day of the week", ""),
        ('digest add x --cron "0 9 31 2 *"', "never comes", 'digest add x --cron "0 9 L 2 *"'),
        ('digest add x --at 09:00 --query "close R1"', "can't be scheduled", ""),
        ('digest add x --at 09:00 --query "lst"', "can't be asked", "digest add x --at 09:00 --query list"),
        ('digest add x --at 09:00 --query "show this"', "depends on where", ""),
        ("digest add x --at 09:00 --query list --source web", "do not go together", ""),
        ("digest add x --at 09:00 --what faild", "can't tell of", "digest add x --at 09:00 --what failed"),
        ("digest add x --at 09:00 --in testmoo", "no connection", ""),
        ("digest add x --at 09:00 --in testmo --project Nowhere", "No project", ""),
        ("digest add x --at 09:00 --in testmo --source nosuch", "source", ""),
        ("digest add x --at 09:00 --in testmo --milestone nosuch", "milestone", ""),
        ("digest add x --at 09:00 --cron '0 9 * * *'", "do not go together", ""),
        (f"digest add {'x' * 61} --at 09:00", "no name", ""),
        ("@rundown digest add x", "When should it come?", "digest add x --at 09:00 --on mon-fri"),
        ("@rundown digest add x --on fri", "When should it come?", "digest add x --at 09:00 --on fri"),
        ("digest add my x --at 09:00", "too much", 'digest add "my x" --at 09:00'),
    ],
)
async def test_what_is_wrong_is_refused_when_it_is_made_with_the_reason_and_what_was_meant(
    command: str, reason: str, closest: str
) -> None:
    async with newsroom() as here:
        refused = await here.said(command)
        assert reason in here.words(refused)
        values = [button.value for button in here.slack.buttons(refused)]
        assert not closest or closest in values, values
        assert "No digest here" in await here.asked("digest list")


async def test_names_are_unique_in_a_channel_and_guests_make_none() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        assert "already" in await here.asked("digest add NIGHTLY --at 10:00")
        assert "Guests can't" in await here.asked("digest add mine --at 09:00", who="gus")
        assert "is set" in await here.asked("digest add nightly --at 09:00", "#checkout")
        assert "Guests can't" in await here.asked("digest remove nightly", who="gus")


async def test_a_channel_has_twenty_digests_at_most() -> None:
    async with newsroom() as here:
        for number in range(20):
            assert "is set" in await here.asked(f"digest add d{number} --at 09:00")
        assert "20 digests already" in await here.asked("digest add d20 --at 09:00")


@pytest.mark.parametrize("where", ["#general", "#payments-private"])
async def test_where_the_bot_is_not_a_digest_is_refused_at_once(where: str) -> None:
    async with newsroom(refusals=OUTSIDE) as here:
        assert "/invite" in await here.asked("digest add nightly --at 09:00", where)
        await here.slack.invite("ana", where, guest=here.slack.bot_user_id)
        assert "is set" in await here.asked("digest add nightly --at 09:00", where)


async def test_a_digest_in_a_direct_message_is_posted_there() -> None:
    async with newsroom() as here:
        made = await here.said("dm:digest add mine --at 09:00 --in testmo")
        assert "is set" in here.words(made)
        await here.goes_by(FRIDAY)
        unasked = [message for message in here.slack.said() if message.metadata and not message.thread_ts]
        assert [message.channel for message in unasked] == [made.channel]


async def test_a_digest_made_in_a_thread_is_posted_in_the_channel() -> None:
    async with newsroom() as here:
        card = await here.said("@rundown show A415")
        root = card.thread_ts or card.ts
        before = {message.key for message in here.slack.said()}
        await here.slack.mention("ana", "#release", "digest add nightly --at 09:00 --in testmo", thread_ts=root)
        assert (await here.new_since(before)).thread_ts == root
        await here.goes_by(FRIDAY)
        assert [message.thread_ts for message in here.unasked()] == [""]


# ── by the form ──


async def test_without_a_time_a_form_is_offered_and_keeps_what_was_typed() -> None:
    async with newsroom() as here:
        await here.slack.command("tom", "#release", "/runs", "digest add nightly --in testmo --source nightly-web")
        view = await here.dialog(who="tom")
        begins = here.fields(view)
        told = {name: begins[name] for name in ("name", "at", "on", "tz", "source", "what", "if-empty")}
        assert told == {
            "name": "nightly",
            "at": "09:00",
            "on": "mon-fri",
            "tz": "America/New_York",
            "source": "nightly-web",
            "what": ["failed"],
            "if-empty": "line",
        }
        await here.slack.submit(view, {"At": "25:00", "Time zone": "Europe/Berln"})
        errors = here.slack.view("tom")
        assert errors is not None
        assert "Did you mean 01:00?" in errors.errors["at"]
        assert "Did you mean Europe/Berlin?" in errors.errors["tz"]
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(errors, {"At": "08:15", "Time zone": "Europe/Berlin"})
        made = here.words(await here.new_since(before))
        assert "mon-fri at 08:15 (Europe/Berlin)" in made
        assert "in testmo" in made
        assert "source nightly-web" in made


@pytest.mark.parametrize("command", ["digest add", "digest add --in testmo --source nightly-web"])
async def test_without_a_name_the_form_asks_for_it_too(command: str) -> None:
    async with newsroom() as here:
        await here.slack.command("ana", "#release", "/runs", command)
        view = await here.dialog()
        assert here.fields(view)["name"] == ""
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(view, {"Name": "nightly"})
        made = here.words(await here.new_since(before))
        assert "Digest nightly is set" in made
        assert ("in testmo · source nightly-web" in made) == ("testmo" in command)


@pytest.mark.parametrize(
    ("command", "begins"),
    [
        ("@rundown digest add", {"name": "", "at": "09:00"}),
        ("@rundown digest add --at 07:45", {"name": "", "at": "07:45"}),
        ("@rundown digest add nightly", {"name": "nightly", "at": "09:00"}),
        ("@rundown digest edit weekly", {"name": "weekly", "at": "10:30"}),
    ],
)
async def test_a_mention_that_lacks_something_is_answered_with_a_button_that_opens_the_form(
    command: str, begins: dict[str, str]
) -> None:
    async with newsroom() as here:
        await here.asked("digest add weekly --at 10:30 --on mon")
        offer = await here.said(command)
        await here.slack.click("ana", offer, "Fill in a form")
        assert here.fields(await here.dialog()).items() >= begins.items()


@pytest.mark.parametrize(
    ("made", "command", "sentence"),
    [
        ("", "digest add x --in testrail --project Webshop", "It looks at testrail › Webshop."),
        ("", "digest add x --in testmo", "It looks at testmo › Webshop."),
        ("", "digest add x --in nosuch", "It looks at nosuch."),
        ("", "digest add x --project nosuch", "It looks at project nosuch."),
        ("", "digest add x", "It looks at what this channel looks at."),
        ("--in testmo", "digest edit x", "It looks at testmo › Webshop."),
        ('--project "Webshop UAT"', "digest edit x", "It looks at practitest › Webshop UAT."),
        ("--tag web", "digest edit x", "It looks at every connected system."),
    ],
)
async def test_a_form_says_which_system_and_project_it_looks_at(made: str, command: str, sentence: str) -> None:
    async with newsroom() as here:
        if made:
            assert "is set" in await here.asked(f"digest add x --at 09:00 {made}")
        await here.slack.command("ana", "#release", "/runs", command)
        await here.dialog(sentence)


async def test_a_form_about_a_command_names_no_system() -> None:
    async with newsroom() as here:
        await here.slack.command("ana", "#release", "/runs", "digest add x --query list")
        assert "It looks at" not in str((await here.dialog()).blocks)


async def test_the_system_and_the_project_that_were_typed_are_sent_with_the_form() -> None:
    async with newsroom() as here:
        typed = 'digest add uat --in practitest --project "Mobile UAT"'
        await here.slack.command("ana", "#release", "/runs", typed)
        view = await here.dialog()
        await here.slack.submit(view, {"At": "25:00"})
        again = here.slack.view("ana")
        assert again is not None
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(again, {"At": "09:00"})
        assert re.search(r"in practitest, project \d+", here.words(await here.new_since(before)))


@pytest.mark.parametrize(
    "changes",
    [
        {"At": "08:45"},
        {"Name": "mornings", "On a quiet day": "the whole digest"},
        {"Only with these tags": ""},
    ],
)
async def test_changing_a_field_keeps_the_system_and_the_project(changes: dict[str, str]) -> None:
    async with newsroom() as here:
        made = await here.asked('digest add apps --at 09:00 --in testmo --project "Mobile app" --tag web')
        [where] = re.findall(r"in testmo, project \S+", made)
        await here.slack.command("ana", "#release", "/runs", "digest edit apps")
        view = await here.dialog("It looks at testmo › Mobile app.")
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(view, changes)
        assert where in here.words(await here.new_since(before))


async def test_the_time_of_a_digest_is_changed_by_the_form_while_its_system_is_down() -> None:
    async with newsroom() as here:
        await here.asked('digest add uat --at 09:00 --in practitest --project "Mobile UAT"')
        here.practitest.faults.html(".", status=503)
        await here.slack.command("ana", "#release", "/runs", "digest edit uat")
        view = await here.dialog("It looks at practitest")
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(view, {"At": "08:45"})
        changed = here.words(await here.new_since(before))
        assert "daily at 08:45" in changed
        assert "in practitest, project" in changed


async def test_what_only_the_systems_know_comes_back_above_the_fields() -> None:
    async with newsroom() as here:
        await here.slack.command("ana", "#release", "/runs", "digest add nightly --in testmo")
        view = await here.dialog()
        await here.slack.submit(view, {"Only these sources": "nosuch", "At": "07:45"})
        again = await here.dialog("nosuch")
        assert here.fields(again)["at"] == "07:45"
        assert "No digest here" in await here.asked("digest list")


async def test_a_digest_is_changed_by_its_form_and_an_emptied_filter_is_gone() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --on weekdays --in testmo --source nightly-web --tag web")
        look = await here.said("digest show nightly")
        await here.slack.click("ana", look, "Edit…")
        view = await here.dialog()
        assert here.fields(view)["source"] == "nightly-web"
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(view, {"Name": "mornings", "Only these sources": ""})
        changed = here.words(await here.new_since(before))
        assert "mornings" in changed
        assert "tag web" in changed
        assert "source" not in changed
        assert "mon-fri at 09:00 (Europe/Berlin)" in changed


async def test_a_digest_by_cron_keeps_its_expression_in_the_form() -> None:
    async with newsroom() as here:
        await here.asked('digest add weekly --cron "0 9 * * 1"')
        await here.slack.command("ana", "#release", "/runs", "digest edit weekly")
        view = await here.dialog()
        assert here.fields(view)["cron"] == "0 9 * * 1"
        await here.slack.submit(view, {"Cron": "0 9 * *"})
        wrong = here.slack.view("ana")
        assert wrong is not None
        assert "five fields" in wrong.errors["cron"]


# ── changed ──


@pytest.mark.parametrize(
    ("flags", "there", "gone"),
    [
        ("--at 08:30", ("mon-fri at 08:30 (Europe/Berlin)",), ("09:00",)),
        ("--on daily", ("daily at 09:00 (Europe/Berlin)",), ()),
        ("--tz UTC", ("mon-fri at 09:00 (UTC)",), ()),
        ('--cron "30 7 * * *"', ("cron 30 7 * * * (Europe/Berlin)",), ("mon-fri",)),
        ("--what stale", ("tells of stale runs",), ()),
        ("--if-empty skip", ("on a quiet day nothing",), ()),
        ("--source api-contract", ("source api-contract", "tag web"), ("nightly-web",)),
        ("--tag none", ("source nightly-web",), ("tag web",)),
        ("--rename mornings", ("Digest mornings",), ()),
    ],
)
async def test_an_edit_changes_what_it_names_and_leaves_the_rest(
    flags: str, there: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --on mon-fri --in testmo --source nightly-web --tag web")
        changed = await here.asked(f"digest edit Nightly {flags}")
        kept = {"mon-fri", "09:00", "Europe/Berlin", "source nightly-web", "tag web", "in testmo"}
        for word in there:
            assert word in changed
        for word in gone:
            assert word not in changed
        if not flags.startswith(("--at", "--on", "--tz", "--cron", "--source", "--tag")):
            assert all(word in changed for word in kept), changed


async def test_days_alone_are_refused_for_a_digest_by_cron() -> None:
    async with newsroom() as here:
        await here.asked('digest add weekly --cron "0 9 * * 1"')
        assert "at what time" in await here.asked("digest edit weekly --on fri")
        assert "cron 0 9 * * 1 (UTC)" in await here.asked("digest edit weekly --tz UTC")


async def test_filters_mean_nothing_to_a_digest_that_posts_an_answer() -> None:
    async with newsroom() as here:
        await here.asked('digest add old --at 09:00 --query "list --older-than 14d"')
        assert "posts the answer to" in await here.asked("digest edit old --source web")
        await here.goes_by(FRIDAY)
        [posted] = here.posted()
        assert "list --older-than 14d" in posted
        assert "Accessibility spring audit" in posted


async def test_a_pause_ends_on_its_day_or_when_somebody_resumes_it() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        paused = await here.asked("digest pause nightly --until 2026-11-21")
        assert "until Sat 21 Nov 00:00" in paused
        assert "Sat 21 Nov 09:00" in paused
        await here.goes_by(FRIDAY)
        assert here.posted() == []
        await here.goes_by(SATURDAY)
        assert len(here.posted()) == 1
        assert "no day" in await here.asked("digest pause nightly --until soon")
        assert "no day" in await here.asked("digest pause nightly --until yesterday")
        assert "until Mon 23 Nov 00:00" in await here.asked("digest pause nightly --until monday")
        assert "too far away" in await here.asked("digest pause nightly --until 0001-01-01")
        assert "not in the future" in await here.asked("digest pause nightly --until 2026-11-01")
        assert "until somebody resumes it" in await here.asked("digest pause nightly")
        await here.goes_by(SUNDAY)
        assert len(here.posted()) == 1
        assert "Mon 23 Nov 09:00" in await here.asked("digest resume nightly")


async def test_removing_by_the_button_is_asked_for_by_slack_and_then_nothing_comes() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        look = await here.said("digest show NIGHTLY")
        button = next(each for each in here.slack.buttons(look) if each.words == "Remove")
        assert "Remove the digest “nightly”?" in str(button.element["confirm"]["text"])
        before = {message.key for message in here.slack.said()}
        await here.slack.click("ana", look, "Remove")
        assert "was removed" in here.words(await here.new_since(before))
        await here.goes_by(FRIDAY)
        assert here.posted() == []
        assert "no digest “nightly” here" in await here.asked("digest show nightly")


async def test_whoever_changes_a_digest_of_another_is_named_and_a_name_that_is_taken_is_refused() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        await here.asked("digest add weekly --at 09:00 --on mon")
        changed = await here.asked("digest edit nightly --at 10:00", who="tom")
        assert "nightly is changed" in changed
        assert "made by Ana Kovač · changed by Tom Becker" in changed
        assert "paused by Tom Becker" in await here.asked("digest pause nightly", who="tom")
        assert "nightly is resumed" in await here.asked("digest resume nightly")
        assert "a digest “WEEKLY” here already" in await here.asked("digest edit nightly --rename WEEKLY")
        assert "There are “nightly”, “weekly”." in await here.asked("digest show morning")


@pytest.mark.parametrize("name", ["none", "None"])
async def test_a_name_cannot_be_taken_away(name: str) -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        assert "name can't be taken away" in await here.asked(f"digest edit nightly --rename {name} --at 08:00")
        left = await here.asked("digest show nightly")
        assert "daily at 09:00" in left
        await here.slack.command("ana", "#release", "/runs", "digest edit nightly")
        await here.slack.submit(await here.dialog(), {"Name": name})
        await here.dialog("name can't be taken away")


@pytest.mark.parametrize("command", ["digest", "digests", "@rundown digest", "digest list"])
async def test_the_word_alone_lists_the_digests(command: str) -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        assert "nightly" in await here.asked(command)


@pytest.mark.parametrize("command", ["help digest", "digest --help", "@rundown help Digest"])
async def test_help_lists_the_eight_commands_and_how_to_read_more(command: str) -> None:
    async with newsroom() as here:
        told = await here.asked(command)
        for verb in ("add", "list", "show", "test", "edit", "pause", "resume", "remove"):
            assert told.count(f"/runs help digest {verb}") == 1
        assert "Post a digest of failed automation runs" in told
        assert "list --older-than" not in told


@pytest.mark.parametrize(
    ("command", "slow", "words"),
    [("digest test nightly", "testmo", "Nightly web"), ("close testrail:R118", "testrail", "Close")],
)
async def test_a_slow_answer_for_one_leaves_no_public_line(command: str, slow: str, words: str) -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        server = here.testmo if slow == "testmo" else here.testrail
        server.faults.delay(".", 2.0, times=1)
        before = {message.key for message in here.slack.said()}
        await here.slack.mention("ana", "#release", command)
        answer = await here.new_since(before)
        assert words in here.words(answer)
        said = [message for message in here.slack.said() if message.key not in before]
        assert any("ooking" in message.text for message in said), "it was slow"
        bots = [message for message in said if message.user == here.slack.bot_user_id]
        assert {message.only_for for message in bots} == {answer.only_for} != {""}


async def test_in_a_direct_message_a_slow_answer_takes_the_place_of_the_line() -> None:
    async with newsroom() as here:
        here.testrail.faults.delay(".", 2.0, times=1)
        before = {message.key for message in here.slack.said()}
        await here.slack.dm("ana", "close testrail:R118")
        answer = await here.new_since(before)
        assert answer.edits == 1
        assert "Close" in here.words(answer)


async def test_an_unknown_name_is_told_with_the_closest() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        refused = await here.said("digest show nightli")
        assert "digest show nightly" in [button.value for button in here.slack.buttons(refused)]


# ── what the channel reads ──


async def test_a_bad_a_mixed_and_a_quiet_day_are_told_with_what_changed() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        for day in (FRIDAY, SATURDAY, SUNDAY):
            await here.goes_by(day)
        bad, mixed, quiet = here.posted()
        assert "streams broke" in bad
        assert "the first digest" in bad
        assert "3 failing now, 5 " in mixed
        assert "🎉 Recovered  API contract" in mixed
        assert "0 failing now, 3 " in quiet
        first = here.unasked()[0]
        assert "HTTP 502 from the stock service" in here.below(first)
        assert "shared by several failing tests" in here.below(first)
        assert here.unasked("#checkout") == []
        assert {message.channel for message in here.slack.said() if message.metadata} == {first.channel}


async def test_the_buttons_of_a_digest_work() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        await here.goes_by(FRIDAY)
        [digest] = here.unasked()
        labels = here.labels(digest)
        assert labels[1] == "About this digest"

        async def pressed(label: str) -> Message:
            before = {message.key for message in here.slack.said()}
            await here.slack.click("ana", digest, label)
            return await here.new_since(before)

        assert "failing" in here.words(await pressed(labels[0])).lower()
        about = here.words(await pressed("About this digest"))
        assert "Its last messages" in about
        assert "of Fri 20 Nov 09:00 with 2 messages in its thread" in about
        assert "tried once" in about
        opens = next(button for button in here.slack.buttons(digest) if button.words.startswith("Open"))
        assert opens.url.startswith("http")


@pytest.mark.parametrize(("if_empty", "posts"), [("skip", 0), ("line", 1), ("post", 1)])
async def test_a_quiet_day_is_told_as_the_digest_wants_it(if_empty: str, posts: int) -> None:
    async with newsroom() as here:
        await here.asked(f"digest add calm --at 09:00 --in testmo --what stale --tag nosuchtag --if-empty {if_empty}")
        await here.goes_by(FRIDAY)
        assert len(here.posted()) == posts
        assert all(("About this digest" in posted) == (if_empty == "post") for posted in here.posted())
        tested = await here.said("digest test calm")
        assert ("would stay silent" in here.words(tested)) == (if_empty == "skip")


async def test_only_what_the_filters_name_is_told() -> None:
    async with newsroom() as here:
        await here.asked("digest add web --at 09:00 --in testmo --source nightly-web")
        await here.asked("digest add open --at 09:00 --what unfinished,stale")
        await here.goes_by(FRIDAY)
        posted = {name: text for text in here.posted() for name in ("web", "open") if f"Digest {name} of" in text}
        assert "API contract" not in posted["web"]
        assert "Nightly web" in posted["web"]
        assert "TestRail" not in posted["web"]
        assert "Accessibility spring audit" in posted["open"]
        assert "1 unfinished" in posted["open"]
        assert "Broke" not in posted["open"]


async def test_the_channels_context_of_when_it_was_made_stays() -> None:
    async with newsroom() as here:
        await here.asked("use testrail 1")
        assert "in testrail" in await here.asked("digest add nightly --at 09:00")
        await here.asked("use testmo 1")
        await here.goes_by(FRIDAY)
        [posted] = here.posted()
        assert "TestRail › Webshop" in posted
        assert "Testmo" not in posted


async def test_a_system_that_is_down_is_a_line_and_its_runs_come_later_even_if_somebody_has_looked() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00")
        await here.goes_by(FRIDAY)
        here.testrail.faults.html(".", status=503)
        await here.goes_by(SATURDAY)
        assert "1 system did not answer" in here.posted()[1]
        here.testrail.faults.clear()
        here.pass_time(minutes=10)
        tested = await here.said("digest test nightly")
        assert "Smoke after deploy 50" in here.words(tested)
        assert tested.only_for == here.slack.person("ana").id
        await here.goes_by(SUNDAY)
        assert "1 of these runs ended before the last digest, which could not see it." in here.posted()[2]


async def test_a_test_is_for_the_asker_alone_and_the_next_digest_tells_the_same() -> None:
    async with newsroom() as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        await here.goes_by("2026-11-20T07:50")
        tested = await here.said("@rundown digest test nightly")
        assert tested.only_for == here.slack.person("ana").id
        assert here.posted() == []
        assert "It has posted nothing yet" in await here.asked("digest show nightly")
        await here.goes_by(FRIDAY)
        [posted] = here.posted()
        assert "the first digest" in posted
        assert here.words(tested).splitlines()[0] == posted.splitlines()[0]


# ── parked ──


async def test_a_digest_whose_channel_puts_the_bot_out_is_parked_until_it_is_back() -> None:
    async with newsroom(refusals=OUTSIDE) as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        here.slack.remove("#release")
        await here.goes_by(FRIDAY)
        ana = here.slack.person("ana")
        told = [message for message in here.slack.said() if "is not posted any more" in here.words(message)]
        assert len(told) == 1, ana.name
        look = await here.asked("digest show nightly")
        assert "Rundown is not in the channel any more" in look
        assert "/invite" in await here.asked("digest resume nightly")
        await here.slack.invite("ana", "#release", guest=here.slack.bot_user_id)
        assert "Next Sat 21 Nov 09:00" in await here.asked("digest resume nightly")
        await here.goes_by(SATURDAY)
        assert len(here.posted()) == 1


# ── clocks and restarts ──


@pytest.mark.parametrize(
    ("start", "days", "keys"),
    [
        (datetime(2026, 10, 24, 12, tzinfo=UTC), ("2026-10-25T00:40", "2026-10-25T01:40", "2026-10-25T08:10"), 25),
        (datetime(2027, 3, 27, 12, tzinfo=UTC), ("2027-03-28T00:40", "2027-03-28T01:10", "2027-03-28T07:10"), 28),
        (datetime(2027, 10, 30, 12, tzinfo=UTC), ("2027-10-31T00:40", "2027-10-31T01:40", "2027-10-31T08:10"), 31),
    ],
)
async def test_on_a_day_when_the_clocks_change_each_digest_comes_once(
    start: datetime, days: tuple[str, ...], keys: int
) -> None:
    async with newsroom(start, {"RUNDOWN_DB": ":memory:"}) as here:
        await here.asked("digest add night --at 02:30 --in testmo --what stale")
        await here.asked("digest add morning --at 09:00 --in testmo --what stale")
        for moment in days:
            await here.goes_by(moment)
        slots = sorted(str((message.metadata or {})["event_payload"]["key"]).split()[1] for message in here.unasked())
        day = f"{days[0][:8]}{keys}"
        assert slots == [f"{day}T02:30", f"{day}T09:00"]


@pytest.mark.parametrize(
    ("back", "words", "not_there"),
    [
        ("2026-11-20T07:00", "Nightly web", "late"),
        ("2026-11-20T11:00", "3 h late", "was missed"),
        ("2026-11-20T21:30", "13 h 30 min have passed since", "Nightly web"),
    ],
)
async def test_what_was_due_while_nobody_was_at_work_comes_once(
    tmp_path: Path, back: str, words: str, not_there: str
) -> None:
    async with newsroom(settings={"RUNDOWN_DB": str(tmp_path / "rundown.db")}) as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        await here.rests()
        await here.goes_by(back)
        await here.works()
        if back < "2026-11-20T08:00":
            await here.goes_by("2026-11-20T08:00")
        [posted] = here.posted()
        assert words in posted
        assert not_there not in posted
        await here.rests()
        await here.works()
        assert len(here.posted()) == 1


@pytest.mark.parametrize(
    ("first", "then", "moment"),
    [
        ("digest pause nightly", "digest resume nightly", "2026-11-20T10:00"),
        ("digest show nightly", "digest edit nightly --at 07:30", "2026-11-20T07:00"),
    ],
)
async def test_times_before_a_change_are_not_caught_up_after_a_restart(
    tmp_path: Path, first: str, then: str, moment: str
) -> None:
    async with newsroom(settings={"RUNDOWN_DB": str(tmp_path / "rundown.db")}) as here:
        await here.asked("digest add nightly --at 09:00 --in testmo")
        await here.asked(first)
        await here.goes_by(moment)
        await here.asked(then)
        await here.rests()
        await here.works()
        assert here.posted() == []


async def test_digests_work_where_the_bot_only_reads() -> None:
    async with newsroom(settings={"RUNDOWN_MODE": "read"}) as here:
        assert "is set" in await here.asked("digest add nightly --at 09:00 --in testmo")
        assert "08:30" in await here.asked("digest edit nightly --at 08:30")
        await here.goes_by(FRIDAY)
        assert len(here.posted()) == 1
        assert "was removed" in await here.asked("digest remove nightly")


async def test_a_system_that_is_down_keeps_nobody_from_making_a_digest() -> None:
    async with newsroom() as here:
        here.testmo.faults.html(".", status=503)
        assert "is set" in await here.asked("digest add nightly --at 09:00 --in testmo --source nightly-web")


async def test_a_digest_that_posts_an_answer_is_changed_by_its_form() -> None:
    async with newsroom() as here:
        await here.asked('digest add old --at 09:00 --query "list --older-than 14d"')
        await here.slack.command("ana", "#release", "/runs", "digest edit old")
        view = await here.dialog()
        assert set(here.fields(view)) == {"name", "at", "on", "tz", "query"}
        await here.slack.submit(view, {"Posts the answer to": "close R1"})
        again = await here.dialog("be scheduled")
        before = {message.key for message in here.slack.said()}
        await here.slack.submit(again, {"Posts the answer to": "list --older-than 30d"})
        assert "list --older-than 30d" in here.words(await here.new_since(before))


async def test_a_project_named_without_its_system_is_kept_with_the_one_that_has_it() -> None:
    async with newsroom() as here:
        made = await here.asked('digest add uat --at 09:00 --project "Webshop UAT"')
        assert "in practitest" in made
        await here.goes_by(FRIDAY)
        [posted] = here.posted()
        assert "PractiTest › Webshop UAT" in posted
        assert "Testmo" not in posted
