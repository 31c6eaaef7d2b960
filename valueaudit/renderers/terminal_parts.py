"""The sheet of paper under the terminal report: no line is wider than it, and no foreign text reaches it unescaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import StringIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from valueaudit.renderers.figures import format_count, format_interval, format_limit, format_rate
from valueaudit.renderers.visible import visible
from valueaudit.report import Share

NARROWEST = 40
INDENT = 2
_LONGEST_NAME = 44
_SHORTEST_NAME = 12
_SHORTEST_BAR = 8
_LONGEST_BAR = 40
_SEPARATOR = "dim not bold"  # no other text has this style, so a wrapped line knows its own separator
_GAP = 2
_FIGURE_TITLES = ("rate", "count", "95% interval")
_SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that are not letters; `blocks` are the last cell of a bar, from an eighth to a whole one."""

    line: str = "─"
    dot: str = "·"
    dash: str = "–"
    ellipsis: str = "…"
    at_most: str = "≤"
    at_least: str = "≥"
    blocks: str = "▏▎▍▌▋▊▉█"


ASCII_GLYPHS = Glyphs(line="-", dot="-", dash="-", ellipsis="..", at_most="<=", at_least=">=", blocks="#")

_ASCII_MESSAGE = {
    "≤": "<=",
    "≥": ">=",
    "–": "-",
    "—": "-",
    "·": "-",
    "…": "...",
    "’": "'",
    "“": '"',
    "”": '"',
    "×": "x",
}
_TO_ASCII = str.maketrans(_ASCII_MESSAGE)


@dataclass(slots=True)
class Sheet:
    """Lines of text, each at most `width` cells wide. Everything added is cut or wrapped to fit."""

    width: int
    color: bool = False
    verbose: bool = False
    ascii_only: bool = False
    lines: list[Text] = field(default_factory=list)
    _console: Console = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.width = max(self.width, NARROWEST)
        # An empty environment: the caller has decided about NO_COLOR, TERM and COLUMNS, and tests see the same bytes.
        self._console = Console(
            file=StringIO(),
            width=self.width,
            force_terminal=self.color,
            no_color=not self.color,
            color_system="standard" if self.color else None,
            force_jupyter=False,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ={},
        )

    @property
    def glyphs(self) -> Glyphs:
        """The characters this sheet may use."""
        return ASCII_GLYPHS if self.ascii_only else Glyphs()

    @property
    def inner(self) -> int:
        """Cells between the indent and the right edge."""
        return self.width - INDENT

    def text(self, content: str, style: str = "") -> Text:
        """Foreign or own words with nothing invisible left in them."""
        if self.ascii_only:
            content = content.translate(_TO_ASCII)
        return Text(visible(content, ascii_only=self.ascii_only), style=style)

    def join(self, parts: Iterable[str | Text]) -> Text:
        """Parts of one fact with a dot between them."""
        # A separator with a style of its own would lend it to the parts: it is a span of a plain text.
        separator = Text.assemble((f" {self.glyphs.dot} ", _SEPARATOR))
        return separator.join([part if isinstance(part, Text) else self.text(part) for part in parts])

    def cut(self, content: str, width: int, style: str = "") -> Text:
        """The text in at most `width` cells, a long one shortened in the middle: its ends tell names apart."""
        shown = self.text(content).plain
        return Text(cut_middle(shown, width, self.glyphs.ellipsis), style=style)

    def blank(self) -> None:
        """An empty line."""
        self.lines.append(Text())

    def heading(self, title: str, style: str = "") -> None:
        """The title of a section, with a line to the right edge."""
        self.blank()
        line = self.glyphs.line
        head = Text(f"{line}{line} ", style="dim").append(title, style=f"not dim bold {style}".strip())
        head.append(f" {line * (self.width - cell_len(title) - 4)}", style="dim")
        self.lines.append(head)

    def put(self, content: Text, *, indent: int = INDENT, hang: int = 0) -> None:
        """A paragraph, wrapped; lines after the first stand `hang` cells further in."""
        self._wrap(content, Text(" " * indent), indent + hang)

    def fact(self, name: str, content: Text | str, *, name_width: int) -> None:
        """A name and what is to be said about it, wrapped in its own column."""
        body = content if isinstance(content, Text) else self.text(content)
        label = Text(" " * INDENT).append(f"{name:<{name_width}}", style="dim").append("  ")
        self._wrap(body, label, cell_len(label.plain))

    def _wrap(self, content: Text, first: Text, hang: int) -> None:
        room = self.width - max(hang, cell_len(first.plain))
        wrapped = content.wrap(self._console, room) or [Text()]
        for number, line in enumerate(wrapped):
            start = first if number == 0 else Text(" " * hang)
            joined = Text.assemble(start, self._without_separator(line) if number else line)
            joined.rstrip()
            self.lines.append(joined)

    def _without_separator(self, line: Text) -> Text:
        lead = f"{self.glyphs.dot} "
        own = any(span.start == 0 and span.style == _SEPARATOR for span in line.spans)
        return line[len(lead) :] if own and line.plain.startswith(lead) else line

    def place(self, content: Text) -> None:
        """A line that was laid out by hand; it must fit."""
        content.rstrip()
        self.lines.append(content)

    def render(self) -> str:
        """All lines, each ended by a line feed."""
        with self._console.capture() as captured:
            for line in self.lines:
                self._console.print(line, soft_wrap=True)
        return captured.get()


def cut_middle(text: str, width: int, ellipsis: str) -> str:
    """The text in at most `width` cells: its beginning, an ellipsis and its end."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(ellipsis)
    if room < 2:
        return set_cell_size(text, width).rstrip()
    head = set_cell_size(text, room - room // 2).rstrip()
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= room // 2:
        start -= 1
    return f"{head}{ellipsis}{text[start:]}"


def pad(text: Text, width: int, *, right: bool = False) -> Text:
    """The text filled with spaces to `width` cells."""
    gap = " " * (width - cell_len(text.plain))
    return Text.assemble(gap, text) if right else Text.assemble(text, gap)


def build_bar(rate: float, full: float, width: int, glyphs: Glyphs) -> str:
    """A bar of at most `width` cells, all of them at the rate `full`; any rate above 0 shows at least its thinnest."""
    steps = len(glyphs.blocks)
    eighths = min(round(rate / full * width * steps), width * steps)
    if rate > 0:
        eighths = max(eighths, 1)
    whole, rest = divmod(eighths, steps)
    return glyphs.blocks[-1] * whole + (glyphs.blocks[rest - 1] if rest else "")


def choose_scale(rates: Iterable[float]) -> float:
    """The round rate at which a bar is full, so that the longest fits."""
    highest = max(rates, default=0.0)
    return next(scale for scale in _SCALES if highest <= scale)


def put_bars(sheet: Sheet, rows: Sequence[tuple[str, Share]], *, style: str) -> None:
    """One line for each share: name, bar, rate, count of how many, 95% interval. Narrow sheets have no bars.

    The head of the bars is their axis: from 0 to the rate at which a bar is full.
    """
    names = [sheet.text(name).plain for name, _ in rows]
    figures = [
        (
            format_rate(share.rate),
            f"{format_count(share.count)}/{format_count(share.denominator)}",
            format_interval(share.interval, dash=sheet.glyphs.dash),
        )
        for _, share in rows
    ]
    columns = _measure(sheet, names, figures)
    scale = choose_scale(share.rate or 0.0 for _, share in rows)
    axis = f"0{format_limit(scale):>{columns.bar - 1}}" if columns.bar else ""
    sheet.place(_bar_line(sheet, columns, "", Text(axis, style="dim"), _FIGURE_TITLES, "dim"))
    for name, (_, share), figure in zip(names, rows, figures, strict=True):
        bar = build_bar(share.rate or 0.0, scale, columns.bar, sheet.glyphs) if columns.bar else ""
        sheet.place(_bar_line(sheet, columns, name, Text(bar, style=style), figure, ""))


@dataclass(frozen=True, slots=True)
class _Columns:
    name: int
    bar: int
    figures: tuple[int, ...]


def _measure(sheet: Sheet, names: Sequence[str], figures: Sequence[Sequence[str]]) -> _Columns:
    widths = tuple(max(map(cell_len, column)) for column in zip(_FIGURE_TITLES, *figures, strict=True))
    room = sheet.inner - sum(widths) - _GAP * len(widths)
    longest = max(map(cell_len, names))
    name = min(longest, _LONGEST_NAME, max(room - _SHORTEST_BAR - _GAP, _SHORTEST_NAME))
    bar = min(room - name - _GAP, _LONGEST_BAR)
    return _Columns(name, bar, widths) if bar >= _SHORTEST_BAR else _Columns(min(longest, room), 0, widths)


def _bar_line(sheet: Sheet, columns: _Columns, name: str, bar: Text, figures: Sequence[str], rate_style: str) -> Text:
    line = Text(" " * INDENT).append_text(pad(sheet.cut(name, columns.name), columns.name))
    if columns.bar:
        line.append(" " * _GAP).append_text(pad(bar, columns.bar))
    for figure, width, style in zip(figures, columns.figures, (rate_style, "dim", "dim"), strict=True):
        line.append(" " * _GAP).append_text(pad(Text(figure, style=style), width, right=True))
    return line
