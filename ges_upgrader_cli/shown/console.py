"""The terminal: colours where there is one and NO_COLOR is not set, progress on slow work, and errors in a line."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


class Exit(IntEnum):
    """What a command's exit code says."""

    FINE = 0
    ATTENTION = 1  # something needs a person: an error in a policy, a difference, a failure
    USAGE = 2  # the command itself cannot be carried out: a missing file, a wrong argument


def console(stderr: bool = False) -> Console:
    """A console on the streams as they are now. What is written is text: no markup, no highlighting."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False)


def fail(text: str, code: Exit = Exit.USAGE) -> NoReturn:
    """Ends the command with one line that says what is wrong and what to do."""
    console(stderr=True).print(f"ges-upgrader: {text}", style="red", soft_wrap=True)
    raise typer.Exit(code)


def show_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Shows on stderr, if that is a terminal, that something takes its time."""
    if not console(stderr=True).is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        shown.add_task(text, total=None)
        yield


def visible(text: str) -> str:
    """The text with nothing that could steer a terminal: a mark in the place of each such character, the line's end apart."""
    return "".join("\ufffd" if unicodedata.category(one) in ("Cc", "Cf") and one != "\n" else one for one in text)


def paragraph(to: Console, text: str, indent: int = 0, first: str = "", style: str = "") -> None:
    """Prints a text within the console's width, its lines indented; `first` stands before the first line instead."""
    width = max(20, to.width - indent)
    for number, line in enumerate(Text(visible(text)).wrap(to, width)):
        to.print(
            Text((first if number == 0 and first else "").ljust(indent) + line.plain.rstrip(), style=style), soft_wrap=True
        )


def counted(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
