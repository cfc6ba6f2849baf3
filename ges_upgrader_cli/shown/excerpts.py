"""A line of a source with a caret under what a message is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from ges_upgrader_cli.checking.places import Place
from ges_upgrader_cli.shown.console import visible

_MARGIN = 12  # columns that the line's number and a cut's marks take


def excerpt(lines: Sequence[str], place: Place, columns: int) -> Iterator[str]:
    """The line, cut to the columns around the place, and the carets; wide characters take two columns."""
    line = visible(lines[place.line - 1].replace("\t", " ")).rstrip() if place.line <= len(lines) else ""
    begin = place.column - 1
    room = max(20, columns - _MARGIN)
    first = max(0, min(begin - room // 4, len(line) - room)) if cell_len(line) > room else 0
    shown = line[first : first + room]
    while cell_len(shown) > room:
        shown = shown[:-1]
    before, after = ("… " if first else ""), (" …" if first + len(shown) < len(line) else "")
    number = f"{place.line:>5} | "
    indent = cell_len(before + shown[: begin - first])
    width = max(1, min(cell_len(line[begin : begin + place.width]), columns - len(number) - indent))
    yield f"{number}{before}{shown}{after}".rstrip()
    yield f"{'':>5} | {'':{indent}}{'^' * width}"
