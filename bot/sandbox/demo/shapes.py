"""How pieces stand next to each other: behind a bar, side by side, in rows that break between pieces only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

#: Cells that text keeps for itself before a button may stand beside it.
BESIDE_MIN = 40
NARROW = 60


@dataclass(frozen=True, slots=True)
class Behind:
    """Something behind a mark: `first` on its first line, `rest` on the others (by default the same)."""

    inside: RenderableType
    first: str
    rest: str | None = None
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rest = self.first if self.rest is None else self.rest
        room = max(options.max_width - max(cell_len(self.first), cell_len(rest)), 8)
        style = console.get_style(self.style) if self.style else Style.null()
        for number, line in enumerate(_lines(console, options, self.inside, room)):
            mark = rest if number else self.first
            yield Segment(mark if line else mark.rstrip(), style)
            yield from line
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class Beside:
    """Text with a button at its right where there is room, below it where there is not."""

    left: RenderableType
    right: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - self.right.cell_len - 2
        if room < BESIDE_MIN:
            yield self.left
            yield self.right
            return
        for number, line in enumerate(_lines(console, options, self.left, room)):
            yield from line
            if not number:
                yield Segment(" " * (options.max_width - self.right.cell_len - Segment.get_line_length(line)))
                yield from console.render(Text.assemble(self.right, end=""), options)
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class Flow:
    """Pieces in a row, broken between them; one longer than a line is broken inside."""

    pieces: Sequence[Text]
    gap: str = " "

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text(overflow="fold")
        for piece in self.pieces:
            if line and line.cell_len + len(self.gap) + piece.cell_len > options.max_width:
                yield line
                line = Text(overflow="fold")
            line.append_text(Text(self.gap) if line else Text()).append_text(piece)
        if line:
            yield line


@dataclass(frozen=True, slots=True)
class Pairs:
    """A section's fields: two columns, one where it is narrow."""

    cells: Sequence[RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width < NARROW:
            yield from self.cells
            return
        room = (options.max_width - 2) // 2
        for start in range(0, len(self.cells), 2):
            columns = [_lines(console, options, cell, room) for cell in self.cells[start : start + 2]]
            left, right = columns[0], columns[1] if len(columns) > 1 else []
            for row in range(max(len(left), len(right))):
                here = left[row] if row < len(left) else []
                yield from here
                if row < len(right):
                    yield Segment(" " * (room + 2 - Segment.get_line_length(here)))
                    yield from right[row]
                yield Segment.line()


def _lines(console: Console, options: ConsoleOptions, inside: RenderableType, room: int) -> list[list[Segment]]:
    """The lines of something in this much room, without blanks at their ends."""
    lines = console.render_lines(inside, options.update(width=room, height=None), pad=False)
    return [_trimmed(line) for line in lines]


def _trimmed(line: list[Segment]) -> list[Segment]:
    kept = list(line)
    while kept and not kept[-1].text.strip(" "):
        kept.pop()
    if kept:
        text, style, control = kept[-1]
        kept[-1] = Segment(text.rstrip(" "), style, control)
    return kept
