"""Who sees what, and whose clicks change what."""

from __future__ import annotations

from tests.slack.front_door_kit import town


async def test_a_channels_project_is_chosen_by_members_and_told_to_all() -> None:
    async with town() as here:
        refused = await here.ask("use testrail Webshop", who="gus")
        assert "Guests" in here.words(refused)
        assert refused.only_for == here.slack.person("gus").id
        told = await here.ask("use testrail Webshop")
        assert told.only_for == ""
        assert "Webshop" in here.words(told)


async def test_somebody_elses_click_turns_the_page_for_them_alone() -> None:
    async with town() as here:
        shown = await here.ask("@rundown list --all --in testmo")
        await here.slack.click("tom", shown, "page:next")
        private = await here.answer()
        assert private.only_for == here.slack.person("tom").id
        assert "11 to 20" in here.words(private)
        assert "1 to 10" in here.words(shown)
        await here.slack.click("ana", shown, "page:next")
        await here.slack.until(lambda: "11 to 20" in here.words(shown))


async def test_in_a_thread_numbers_mean_the_threads_list_for_everybody() -> None:
    async with town() as here:
        shown = await here.ask("@rundown list --all --in testmo")
        await here.slack.mention("tom", "#release", "show #2", thread_ts=shown.thread_ts)
        answer = await here.answer()
        assert "means nothing" not in here.words(answer)
        assert answer.thread_ts == shown.thread_ts


async def test_who_somebody_is_stays_private() -> None:
    async with town() as here:
        answer = await here.ask("@rundown whoami")
        assert "ana@acme.example" in here.words(answer)
        assert answer.only_for == here.slack.person("ana").id


async def test_a_bare_mention_in_a_runs_thread_shows_the_run() -> None:
    async with town() as here:
        card = await here.ask("@rundown show A412")
        await here.slack.mention("tom", "#release", "", thread_ts=card.thread_ts)
        assert "71 passed" in here.words(await here.answer())


async def test_a_system_that_could_not_be_asked_is_a_doubt_that_is_said() -> None:
    async with town() as here:
        here.testrail.faults.answer("api/v2", 503)
        words = here.words(await here.ask("show R118"))
        assert "Release 8.2 regression" in words
        assert "TestRail could not be asked and may have R118 too" in words


async def test_people_are_called_by_name_in_what_was_asked() -> None:
    async with town() as here:
        words = here.words(await here.ask("list --all --by @tom --in testmo"))
        assert "Tom Becker" in words
        assert "U0TOM" not in words


async def test_two_runs_of_two_systems_are_not_compared() -> None:
    async with town() as here:
        assert "can't be compared" in here.words(await here.ask("diff A412 S55"))


async def test_a_command_from_another_workspace_is_refused_in_our_own_words() -> None:
    async with town() as here:
        mine = await here.slack.command("ana", "#release", "/runs", "version")
        await here.answer()
        await here.slack.deliver("slash_commands", {**mine.payload, "team_id": "T9", "trigger_id": "9.9.foreign"})
        words = here.words(await here.answer())
        assert "members of this workspace" in words
        assert "reinstall" not in words
