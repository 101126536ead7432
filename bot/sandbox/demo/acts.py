"""A typed line → what the person wants to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

SYSTEMS = ("testmo", "testrail", "practitest")


@dataclass(frozen=True, slots=True)
class Slash:
    """A slash command, `/runs show R118`."""

    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """`@rundown …`."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Words to the conversation."""

    text: str

    @property
    def names_bot(self) -> bool:
        """Whether Slack makes a mention of the bot of them."""
        return _NAMED.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Press:
    """The thing with this number: pressed, option `option` of it chosen, or `entered` typed into it."""

    number: int
    option: int | None = None
    entered: str | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """The newest thing on the screen with these words on it: pressed, or `entered` put into it."""

    words: str
    entered: str | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """A shortcut of the app from the menu of a message; `back` counts from the newest one. "" lists the shortcuts."""

    name: str = ""
    back: int = 1


@dataclass(frozen=True, slots=True)
class Become:
    """Go on as somebody else."""

    person: str


@dataclass(frozen=True, slots=True)
class Enter:
    """Go to another channel; "" are the direct messages with the bot."""

    channel: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """Reply in the thread of the last public message from now on, or in the channel again."""

    on: bool = True


@dataclass(frozen=True, slots=True)
class Trouble:
    """Make a system fail or be slow, or heal it ("" heals all)."""

    how: str
    system: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Let time pass: `tomorrow 09:00`, `monday 09:00`, `+2h`, `2026-12-24 09:00`. "" asks what time it is."""

    when: str = ""


@dataclass(frozen=True, slots=True)
class See:
    """Look at the conversation as this person sees it."""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be typed."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not understood; `hint` says what would be."""

    hint: str


Act = (
    Slash
    | Mention
    | Say
    | Press
    | Find
    | Menu
    | Become
    | Enter
    | Thread
    | Trouble
    | Move
    | See
    | Help
    | Quit
    | Nothing
    | Unknown
)

_PRESS = re.compile(r"(\d{1,5})(?:\.(\d{1,3})|=(.*))?", re.DOTALL)
_SLASH = re.compile(r"(/[^\s/]+)(?:\s+(.*))?", re.DOTALL)
_MENTION = re.compile(r"@rundown(?![\w.-])[,:]?\s*(.*)", re.IGNORECASE | re.DOTALL)


#: As Slack reads it: a full stop ends the sentence, not the name.
_NAMED = re.compile(r"(?<!\w)@rundown(?![\w-]|\.\w)", re.IGNORECASE)


def read_line(line: str) -> Act:
    """What a line means. Lines that begin with `:` are for the demo, everything else is for Slack."""
    line = line.strip()
    if not line:
        return Nothing()
    if line.startswith(":"):
        word, _, rest = line[1:].partition(" ")
        return _colon(word.lower(), rest.strip())
    if found := _PRESS.fullmatch(line):
        return _numbered(found)
    if found := _SLASH.fullmatch(line):
        return Slash(found[1].lower(), (found[2] or "").strip())
    if found := _MENTION.fullmatch(line):
        return Mention(found[1].strip())
    return Say(line)


def _numbered(found: re.Match[str]) -> Press:
    option = int(found[2]) if found[2] else None
    return Press(int(found[1]), option, None if found[3] is None else found[3].strip())


def _colon(word: str, rest: str) -> Act:
    if word in _COLON:
        return _COLON[word](rest)
    close = get_close_matches(word, _COLON, 1, 0.5)
    meant = f" Did you mean :{close[0]}?" if close else ""
    return Unknown(f"There is no :{word}.{meant} :help lists what there is.")


def _press(rest: str) -> Act:
    if found := _PRESS.fullmatch(rest):
        return _numbered(found)
    return Find(rest) if rest else Unknown("Press what? Try :press 1, or what stands on it: :press Close.")


def _fill(rest: str) -> Act:
    label, sign, value = (part.strip() for part in rest.partition("="))
    return Find(label, value) if label and sign else Unknown("Fill in what? Try :fill Name=Nightly web.")


def _shortcut(rest: str) -> Act:
    """`note`, `note 2`: the shortcut, and which message counted from the newest."""
    name, _, count = rest.rpartition(" ") if rest.rpartition(" ")[2].isdecimal() else (rest, "", "")
    if count and (not name or not int(count)):
        return Unknown("Which shortcut? Try :shortcut note, or :shortcut note 2 for the message before the newest.")
    return Menu(name.strip().lower(), int(count or 1))


def _as(rest: str) -> Act:
    name = rest.removeprefix("@").lower()
    return Become(name) if name else Unknown("As whom? Try :as tom.")


def _in(rest: str) -> Act:
    name = rest.removeprefix("#").lower()
    return Enter(name) if name else Unknown("In which channel? Try :in #checkout.")


def _thread(rest: str) -> Act:
    if rest.lower() in {"", "on"}:
        return Thread()
    return Thread(on=False) if rest.lower() == "off" else Unknown(":thread or :thread off.")


def _trouble(how: str) -> Callable[[str], Act]:
    def read(rest: str) -> Act:
        name = rest.lower()
        if name in SYSTEMS or (not name and how == "heal"):
            return Trouble(how, name)
        close = get_close_matches(name, SYSTEMS, 1, 0.4) or SYSTEMS[1:2]
        return Unknown(f"Which system: {', '.join(SYSTEMS)}? Try :{how} {close[0]}.")

    return read


_COLON: dict[str, Callable[[str], Act]] = {
    "help": lambda _: Help(),
    "press": _press,
    "fill": _fill,
    "shortcut": _shortcut,
    "as": _as,
    "in": _in,
    "dm": lambda _: Enter(),
    "thread": _thread,
    "clock": lambda rest: Move(rest.lower()),
    "see": lambda _: See(),
    "fail": _trouble("fail"),
    "slow": _trouble("slow"),
    "heal": _trouble("heal"),
    "quit": lambda _: Quit(),
    "exit": lambda _: Quit(),
    "q": lambda _: Quit(),
}
