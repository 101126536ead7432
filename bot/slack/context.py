"""menu, here, use: what holds in this channel."""

from __future__ import annotations

from bot.domain.errors import AskError
from bot.presenters import messages
from bot.slack.desk import Answer, Asking, Desk
from bot.usecases.context import open_menu, use_project, what_is_here


def register(desk: Desk) -> None:
    desk.feature("menu", answer_menu)
    desk.feature("here", answer_here)
    desk.feature("use", answer_use)


async def answer_menu(asking: Asking) -> Answer:
    world = asking.world
    menu = await open_menu(
        systems=world.systems, contexts=world.contexts, recall=world.recall, asker=asking.asker, now=world.now()
    )
    return Answer(messages.menu(menu, now=world.now()))


async def answer_here(asking: Asking) -> Answer:
    world = asking.world
    here = await what_is_here(systems=world.systems, contexts=world.contexts, recall=world.recall, asker=asking.asker)
    return Answer(messages.here(here, now=world.now()))


async def answer_use(asking: Asking) -> Answer:
    world = asking.world
    member = await world.people.member(asking.asker.user)
    if member.role in ("guest", "outsider"):
        raise AskError(
            "Guests can't choose a channel's project.",
            why="It changes what everybody's commands mean here.",
            fix="Ask a member of this workspace, or name the project in your command: --in and --project.",
            closest=("here",),
        )
    connection, *project = asking.command.words
    chosen = await use_project(
        connection,
        " ".join(project),
        systems=world.systems,
        contexts=world.contexts,
        asker=asking.asker,
        now=world.now(),
    )
    return Answer(messages.context_set(chosen), to_all=True)
