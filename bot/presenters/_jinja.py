"""The templates' language: Jinja, sandboxed, every hole escaped, and only as much of it as cannot run away.

Imported with the first message, not with the bot: Jinja takes a while to load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from bot.presenters import markup, text
from bot.presenters.engine import ENDING
from bot.presenters.limits import TemplateError
from bot.presenters.markup import Markup, Plain

#: What a template may be made of. Nothing here makes text grow beyond template and holes: no `*`, `**`, range, macros,
#: variables or methods. Work is bounded by the template's length and the rows it is given.
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Include,
    nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.Tuple, nodes.List,
    nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Add, nodes.Sub, nodes.Neg, nodes.Call,
)  # fmt: skip
_HELPERS = {"link": markup.link, "date": markup.date, "user": markup.user, "channel": markup.channel}
_BUILT_IN = ("length", "first", "last")
_TESTS = ("defined", "none")

LOOPS, ROWS, SOURCE = 2, 200, 50_000


def _words(value: object) -> str:
    if type(value) is str:
        return value
    if isinstance(value, str | int):
        return str(value)
    raise TemplateError(f"text was expected, not {type(value).__name__}")


def _hole(value: object) -> object:
    """What a hole says, escaped for mrkdwn and for the JSON around it."""
    kind = type(value)
    if kind is str:
        return _short(value) if len(value) < SHORT else _escaped(value)  # type: ignore[arg-type]
    if kind is Markup or kind is Plain:
        ready: str = value.text  # type: ignore[attr-defined]
        return _quoted(ready) if '"' in ready or "\\" in ready else ready
    if kind is int or isinstance(value, StrictUndefined):
        return value  # the latter complains by itself
    return _escaped(_words(value))


def _escaped(value: str) -> str:
    ready = text.mrkdwn(value)
    return _quoted(ready) if '"' in ready or "\\" in ready else ready


def _quoted(ready: str) -> str:
    return json.dumps(ready, ensure_ascii=False)[1:-1]


#: Icons, words, names and people come again and again; texts below this many characters are remembered.
SHORT = 150
_short = lru_cache(4096)(_escaped)


def _rows(value: object) -> object:
    """What a loop may go through: each loop is led through this filter by the parser."""
    if type(value) is not tuple or len(value) > ROWS:
        raise TemplateError(f"template too heavy: loops go through at most {ROWS} rows")
    return value


_FILTERS = {
    "plain": lambda value: Plain(text.clean(_words(value))),
    "exact": lambda value: Plain(text.whole(_words(value))),
    "cut": lambda value, limit: text.cut(_words(value), limit),
    "code": lambda value: markup.code(_words(value)),
    "said": lambda value: markup.said(_words(value)),
    "rows": _rows,
}


class _Compiler(CodeGenerator):
    """Attributes are looked up without the sandbox: which ones may be, was judged when the template was read."""

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        self.visit(node.node, frame)
        self.write(f".{node.attr}")


class _Parts(NodeTransformer):
    """Puts the parts where they are included, so that nothing is looked up while a message is made."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def visit_Include(self, node: nodes.Include) -> list[nodes.Node]:
        if not (isinstance(node.template, nodes.Const) and str(node.template.value).startswith("_")):
            raise _fault(node, "only parts, named _…, can be included")
        return self._templates.part(str(node.template.value)).body


class Templates(ImmutableSandboxedEnvironment):
    """The templates of one or more folders, the first folder that has a name wins."""

    def __init__(self, *folders: Path) -> None:
        super().__init__(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            undefined=StrictUndefined,
            finalize=_hole,
            autoescape=False,
            auto_reload=False,
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals = dict(_HELPERS)
        self.filters = {name: self.filters[name] for name in _BUILT_IN} | _FILTERS
        self.tests = {name: self.tests[name] for name in _TESTS}

    code_generator_class = _Compiler

    def pieces(self, name: str, holes: dict[str, object]) -> Iterator[str]:
        """The output of a message's template, piece by piece; it is compiled before the first is asked for."""
        template = self.get_template(f"{name}{ENDING}")
        return template.root_render_func(template.new_context(holes))

    def part(self, name: str) -> nodes.Template:
        """A part, read but not compiled."""
        assert self.loader is not None  # noqa: S101
        try:
            source, filename, _ = self.loader.get_source(self, name)
        except TemplateNotFound as error:  # which the loader would take for the whole template's absence
            raise TemplateError(f"there is no part {name}") from error
        tree = self._parse(source, name, filename)
        if (inner := tree.find(nodes.Include)) is not None:
            raise _fault(inner, "no part can be included in a part")
        return tree

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > SOURCE:
            raise TemplateError(f"template too heavy: more than {SOURCE} characters")
        tree = super()._parse(source, name, filename)
        _refuse_heavy(tree)
        _refuse_misplaced(tree)
        if not str(name).startswith("_"):
            _Parts(self).visit(tree)
        return tree


def _refuse_heavy(node: nodes.Node, loops: int = 0) -> None:
    """Keep to the language; sees to it that loops are bounded."""
    if not isinstance(node, _ALLOWED):
        raise _fault(node, f"{type(node).__name__} is not part of the templates' language")
    if isinstance(node, nodes.For):
        loops += 1
        if loops > LOOPS or node.recursive:
            raise _fault(node, "template too heavy: too many loops in loops")
        node.iter = nodes.Filter(node.iter, "rows", [], [], None, None, lineno=node.lineno)
    elif isinstance(node, nodes.Call):
        if not (isinstance(node.node, nodes.Name) and node.node.name in _HELPERS):
            raise _fault(node, f"only {', '.join(_HELPERS)} can be called")
    elif isinstance(node, nodes.Filter):
        if node.name not in _FILTERS and node.name not in _BUILT_IN:
            raise _fault(node, f"there is no filter {node.name}")
    elif isinstance(node, nodes.Include) and loops:
        raise _fault(node, "no part can be included in a loop")
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise _fault(node, f"{node.attr} is not for templates")
    for child in node.iter_child_nodes():
        _refuse_heavy(child, loops)


_TYPE = re.compile(r'"(mrkdwn|plain_text)"')
_KEY = re.compile(r'"(\w+)"\s*:\s*"[^"]*\Z')


def _refuse_misplaced(tree: nodes.Template) -> None:
    """Holes are escaped for the place they are in; no colon touches one, for the two could make an emoji."""
    seen, kind = "", ""
    for node in _in_order(tree):
        if isinstance(node, nodes.TemplateData):
            if seen.endswith("◦") and node.data.startswith(":"):
                raise _fault(node, "a colon follows a hole")
            seen = (seen + node.data)[-1_000:]
            kind = ([kind, *_TYPE.findall(node.data)])[-1]
            continue
        key = _KEY.search(seen)
        if key is None:
            raise _fault(node, "a hole outside of a text")
        raw = isinstance(node, nodes.Filter) and node.name in ("plain", "exact")
        marked = key[1] == "fallback" or (key[1] == "text" and kind == "mrkdwn")
        if raw and marked:
            raise _fault(node, "|plain and |exact don't escape for mrkdwn")
        if not raw and not marked:
            raise _fault(node, "a hole outside of mrkdwn needs |plain or |exact")
        if marked and seen.endswith(":"):
            raise _fault(node, "a colon stands before a hole")
        seen += "◦"


def _in_order(node: nodes.Node) -> Iterator[nodes.Node]:
    """Text and holes as they follow each other."""
    for child in node.iter_child_nodes():
        if isinstance(node, nodes.Output):
            yield child
        elif isinstance(child, nodes.Stmt):
            yield from _in_order(child)


def _fault(node: nodes.Node, what: str) -> TemplateError:
    return TemplateError(f"line {node.lineno}: {what}")
