"""Template + holes → Message or View: every hole escaped, every limit of Slack kept, whatever the input.

Templates list blocks one after another without commas. A message's first object is `{"fallback": "…"}`, the sentence
for notifications and screen readers; a form's is `{"title": "…", "submit": "…", "close": "…"}`. Those in the operator's
own folder go first; when one fails or is too heavy, ours is used and `on_fault` hears why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.presenters.limits import FALLBACK_BYTES, VIEW_BLOCKS, VIEW_TITLE, TemplateError, fit, fit_input, split
from bot.presenters.message import Block, Message, View
from bot.presenters.text import cut, cut_bytes

if TYPE_CHECKING:
    from bot.presenters._jinja import Templates

__all__ = ["Engine", "Message", "TemplateError", "View", "prepare", "render", "use", "view"]

T = TypeVar("T")

#: Hears the template's name and why it was not used.
OnFault = Callable[[str, str], None]

ENDING = ".json.j2"

#: An operator's template may say so many characters before it is called too heavy.
OUTPUT = 400_000

_PACKAGE = Path(__file__).parent.parent
_BLANK = re.compile(r"\s*")
#: Not strict: a value may hold control characters as they are.
_read = json.JSONDecoder(strict=False).raw_decode


class Engine:
    """Renders templates; `overrides` is the operator's folder."""

    def __init__(self, overrides: Path | None = None, on_fault: OnFault | None = None) -> None:
        self._overrides = overrides
        self._on_fault = on_fault
        self._unfit: dict[str, str] = {}

    def render(self, template: str, **holes: object) -> Message:
        """The message of one template, by its name without ending. Raises TemplateError if ours is at fault."""
        return self._say(template, holes, _message)

    def view(self, template: str, fields: Sequence[str] = (), **holes: object) -> View:
        """The form of one template, which has exactly these fields. Raises TemplateError if ours is at fault."""
        return self._say(template, holes, lambda output: _view(output, fields))

    def _say(self, template: str, holes: dict[str, object], read: Callable[[str], T]) -> T:
        if self._overrides is not None:
            try:
                return read(self._say_theirs(template, holes))
            except Exception as error:  # whatever an operator's template does, the answer is given
                if self._on_fault is not None:
                    self._on_fault(template, f"{type(error).__name__}: {error}")
        return read("".join(_ours().pieces(template, holes)))

    def prepare(self, *templates: str) -> None:
        """Compile these now, not with their first message; try all of an operator's, so that `on_fault` hears early."""
        for name in templates:
            _ours().pieces(name, {})
        for name in names() if self._overrides is not None else ():
            try:
                self._compiled(name)
            except TemplateError as error:
                if self._on_fault is not None:
                    self._on_fault(name, str(error))

    def _say_theirs(self, name: str, holes: dict[str, object]) -> str:
        kept, size = [], 0
        for piece in self._compiled(name).pieces(name, holes):
            size += len(piece)
            if size > OUTPUT:
                raise TemplateError(f"template too heavy: more than {OUTPUT} characters come out of it")
            kept.append(piece)
        return "".join(kept)

    def _compiled(self, name: str) -> Templates:
        """The operator's templates, if that one can be compiled; what can't be is tried only once."""
        if name not in self._unfit:
            try:
                self._theirs.pieces(name, {})
            except Exception as error:
                self._unfit[name] = f"{type(error).__name__}: {error}"
        if name in self._unfit:
            raise TemplateError(self._unfit[name])
        return self._theirs

    @cached_property
    def _theirs(self) -> Templates:
        from bot.presenters._jinja import Templates

        return Templates(*([self._overrides] if self._overrides else []), folder())


@cache
def _ours() -> Templates:
    from bot.presenters._jinja import Templates

    return Templates(folder())


@cache
def folder() -> Path:
    """Our templates: inside the installed package, or beside it in a checkout."""
    packed = _PACKAGE / "templates"
    return packed if packed.is_dir() else _PACKAGE.parent / "templates"


def names() -> list[str]:
    """All messages there are templates for."""
    return sorted(path.name.removesuffix(ENDING) for path in folder().glob(f"[!_]*{ENDING}"))


def _message(output: str) -> Message:
    sized: list[tuple[Block, int]] = []
    fallback = ""
    for block in _objects(output):
        if "fallback" in block:
            fallback = cut_bytes(str(block["fallback"]), FALLBACK_BYTES)
        elif size := fit(block):
            sized.append((block, size))
    if not fallback.strip() or not sized:
        raise TemplateError("a message needs a fallback and a block")
    first, *more = split(sized)
    if not more:
        return Message(fallback, first)
    shorter = cut_bytes(fallback, FALLBACK_BYTES - 60)
    return Message(
        fallback,
        first,
        tuple(
            Message(f"{shorter} (continued, part {number} of {len(more) + 1})", blocks)
            for number, blocks in enumerate(more, 2)
        ),
    )


def _view(output: str, fields: Sequence[str]) -> View:
    words: dict[str, str] = {}
    blocks: list[Block] = []
    for block in _objects(output):
        if "title" in block:
            words = {name: cut(str(block.get(name, "")), VIEW_TITLE) for name in ("title", "submit", "close")}
        elif block.get("type") == "input":
            blocks.append(fit_input(block))
        elif fit(block):
            blocks.append(block)
    inputs = [block["block_id"] for block in blocks if block["type"] == "input"]
    if inputs != list(fields) or len(set(inputs)) < len(inputs):
        raise TemplateError(f"the form has the fields {inputs}, not {list(fields)}")
    if not blocks or len(blocks) > VIEW_BLOCKS or not words.get("title") or not words["close"]:
        raise TemplateError(f"a form needs a title, a word that closes it, and 1 to {VIEW_BLOCKS} blocks")
    if inputs and not words["submit"]:
        raise TemplateError("a form with fields needs a word that sends it")
    return View(words["title"], words["submit"], words["close"], blocks)


def _objects(output: str) -> Iterator[Block]:
    """The JSON objects of a template's output."""
    at, end = _skip(output, 0), len(output)
    while at < end:
        try:
            block, at = _read(output, at)
        except ValueError as error:
            raise TemplateError(f"no JSON at character {at}: {output[at : at + 60]!r}") from error
        at = _skip(output, at)
        if not isinstance(block, dict):
            raise TemplateError("a template lists JSON objects")
        yield block


def _skip(output: str, at: int) -> int:
    return _BLANK.match(output, at).end()  # type: ignore[union-attr]


_engine = Engine()


def use(engine: Engine) -> None:
    """Say all messages with this engine from now on; for the composition root."""
    global _engine  # noqa: PLW0603  one place, set once at the start
    _engine = engine


def render(template: str, **holes: object) -> Message:
    """The message of one template with the engine in use."""
    return _engine.render(template, **holes)


def view(template: str, fields: Sequence[str] = (), **holes: object) -> View:
    """The form of one template with the engine in use."""
    return _engine.view(template, fields, **holes)


def prepare(*templates: str) -> None:
    """Compile these of the engine in use, and all of an operator's, so that no first message waits for it."""
    _engine.prepare(*templates)
