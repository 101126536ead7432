"""The ways in: `rundown serve`, `rundown demo`, `rundown manifest`, `rundown version`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path

import click

from bot import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Rundown: Testmo, TestRail and PractiTest in the Slack channels where releases are decided."""


@main.command()
def serve() -> None:
    """Run the bot, with the settings of the environment (see the README)."""
    gc.disable()  # loading modules makes no garbage; `Rundown.start` switches it on again
    from bot.config import SettingsError, read_settings
    from bot.logs import start_logging

    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        click.echo("Rundown can't start with these settings:", err=True)
        for complaint in error.complaints:
            click.echo(f"  {complaint}", err=True)
        sys.exit(2)
    listener = start_logging(settings.log, settings.secrets)
    try:
        sys.exit(asyncio.run(_serve(settings)))
    finally:
        listener.stop()


async def _serve(settings: object) -> int:
    """Run until SIGTERM or SIGINT, then drain. Returns the exit code."""
    from bot.app import Rundown, StartError
    from bot.config import Settings
    from bot.domain.errors import RundownError

    if not isinstance(settings, Settings):
        raise TypeError("not settings")
    bot = Rundown(settings)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no handlers on the loop
            loop.add_signal_handler(number, ending.set)
    starting = asyncio.create_task(bot.start(), name="start")
    asked_to_end = asyncio.create_task(ending.wait(), name="signal")
    try:
        await asyncio.wait({starting, asked_to_end}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            await asked_to_end
        return 0
    except StartError as error:
        click.echo(f"Rundown can't start: {error}", err=True)
        return 1
    except RundownError as error:
        click.echo(f"Rundown can't start: {error.what} {error.fix}", err=True)
        return 1
    except OSError as error:
        click.echo(f"Rundown can't listen on port {settings.port}: {error.strerror}. Set PORT to another.", err=True)
        return 1
    finally:
        starting.cancel()
        asked_to_end.cancel()
        await bot.stop()


@main.command()
@click.option(
    "--run",
    "commands",
    multiple=True,
    metavar="COMMAND",
    help="Type this line and print what comes of it; repeatable. A line may press a button or use a form, see :help.",
)
@click.option("--as", "person", default="ana", show_default=True, help="Who types: ana, tom, lea, max, gus, olga.")
@click.option("--channel", default="#release", show_default=True, help="Where it is typed.")
@click.option("--http", is_flag=True, help="Let Slack deliver over signed HTTP instead of Socket Mode.")
def demo(commands: tuple[str, ...], person: str, channel: str, http: bool) -> None:
    """The whole bot on this machine, no account anywhere: sample systems, a local Slack, the real bot between them."""
    sys.exit(asyncio.run(_demo(commands, person=person, channel=channel, http=http)))


async def _demo(commands: tuple[str, ...], *, person: str, channel: str, http: bool) -> int:
    from bot.app import Rundown
    from bot.config import read_settings
    from bot.logs import start_logging
    from bot.sandbox.demo import Town, run
    from bot.slack.manifest import Mode
    from bot.slack.manifest import manifest as app_manifest

    mode: Mode = "read" if os.environ.get("RUNDOWN_MODE", "").strip().lower() == "read" else "write"
    async with Town(http=http, manifest=app_manifest(mode=mode), mode=mode) as town:
        settings = read_settings(town.environment())
        listener = start_logging(settings.log, settings.secrets, logging.ERROR)
        bot = Rundown(settings, now=town.clock.now, host="127.0.0.1")
        try:
            await bot.start()
            town.on_move = bot.catch_up
            if http and bot.web is not None:
                await town.connect_http(bot.web.port)
            return await run(town, commands, person=person, channel=channel)
        finally:
            await bot.stop()
            listener.stop()


@main.command()
@click.option("--mode", type=click.Choice(["read", "write"]), default="write", show_default=True)
@click.option("--command", "slash", default="/runs", show_default=True, help="The slash command's name.")
@click.option("--http", "url", default="", metavar="URL", help="The bot's public address; without it: Socket Mode.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of printing.")
def manifest(mode: str, slash: str, url: str, output: Path | None) -> None:
    """Print the Slack app manifest."""
    from bot.config import url_problem
    from bot.slack.manifest import manifest_yaml

    if not slash.startswith("/") or not 1 < len(slash) <= 32 or slash != slash.lower() or " " in slash:
        raise click.BadParameter("expected a slash and up to 31 of a-z 0-9 _ -", param_hint="--command")
    if url and (problem := url_problem(url)):
        raise click.BadParameter(problem, param_hint="--http")
    text = manifest_yaml(command=slash, mode=mode, url=url)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@main.group()
def digest() -> None:
    """The digests that were made in Slack."""


@digest.command()
@click.argument("name")
def preview(name: str) -> None:
    """Print what the digests of this name would say now; nothing is posted."""
    from bot.config import SettingsError, read_settings
    from bot.domain.errors import RundownError
    from bot.preview import preview_digest

    try:
        told = asyncio.run(preview_digest(read_settings(os.environ), name))
    except SettingsError as error:
        click.echo("The digest can't be made with these settings:", err=True)
        for complaint in error.complaints:
            click.echo(f"  {complaint}", err=True)
        sys.exit(2)
    except RundownError as error:
        click.echo(f"{error.what} {error.why} {error.fix}".strip(), err=True)
        sys.exit(1)
    for channel, text in told:
        click.echo(f"── {channel}\n{text}")


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"rundown {__version__}")
