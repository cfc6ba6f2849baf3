"""Logging: structlog, one JSON line an event, with a context that is bound once a run.

A line never ends a run, whatever it is about and wherever it goes: it is ASCII, bounded, without secrets, and stdout may fail.
`lines_lost` in the next line that gets out counts those that did not.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

from ges_upgrader.domain.plain_text import CUT, plain, plain_lines
from ges_upgrader.redaction import Secrets

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

    Log = FilteringBoundLogger

MOST_LINE = 8 * 1024  # bytes
# Characters of a text, and values, at the most: the first of these that makes the line short enough. The last always does.
_SIZES = ((2000, 200), (500, 60), (100, 30), (20, 12))
_DEEPEST = 6
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)  # those that structlog has
_QUOTING = ("urllib3", "charset_normalizer")  # their warnings quote what a server sent, past our masks


def start_log(level: str, secrets: Secrets, context: Mapping[str, Any]) -> Log:
    """A logger for one run, with `context` in every line and `secrets` in none. structlog comes with the first event."""
    with redirect_stdout(StringIO()):  # it asks stdout whether it is a terminal, which a closed one refuses to say
        import structlog

    for library in _QUOTING:
        logging.getLogger(library).propagate = False
    number = logging.getLevelName(level.strip().upper())  # a text if there is no such level
    stdout = _Stdout()
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _Rendering(secrets, stdout),
    ]
    log: Log = structlog.wrap_logger(
        stdout,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number if number in _LEVELS else logging.INFO),
        context_class=dict,
    )
    return log.bind(**{name: value for name, value in context.items() if value is not None})


class _Stdout:
    """Where lines go. `lost` counts those that failed since the last that did not."""

    def __init__(self) -> None:
        self.lost = 0

    def write(self, line: str) -> None:
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except Exception:  # it is closed, full, broken or None, and there is no other place to say so
            self.lost += 1
        else:
            self.lost = 0

    debug = info = warning = error = critical = write


class _Rendering:
    """The processor that makes an event a line."""

    def __init__(self, secrets: Secrets, stdout: _Stdout) -> None:
        self._secrets, self._stdout = secrets, stdout

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> str:
        name = str(event.get("event"))[:100]
        try:
            return self._line(event)
        except Exception as error:
            return json.dumps({"level": "error", "event": name, "unshown": type(error).__name__})

    def _line(self, event: MutableMapping[str, Any]) -> str:
        first = {name: event.pop(name, None) for name in ("time", "level", "event")}
        failure = _exception(event.pop("exc_info", None))
        if failure is not None:
            first["exception"] = failure
        if self._stdout.lost:
            first["lines_lost"] = self._stdout.lost
        for longest, most in _SIZES:
            line = json.dumps(_Excerpt(self._secrets, longest, most).of({**first, **event}), allow_nan=False)
            if len(line) < MOST_LINE:
                break
        return line


def _exception(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    return sys.exc_info()[1] if exc_info else None


class _Excerpt:
    """Copies values for a line: without secrets, each text at most `longest` characters, at most `most` values in all."""

    def __init__(self, secrets: Secrets, longest: int, most: int) -> None:
        self._secrets, self._longest, self._left = secrets, longest, most

    def of(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, Mapping):
            pairs = self._first(value.items(), len(value), depth)
            return {self._text(pair[0]): self.of(pair[1], depth + 1) if pair[1:] else "" for pair in pairs}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.of(item[0], depth + 1) for item in self._first(zip(value), len(value), depth)]
        if isinstance(value, BaseException):
            return self._traceback(value)
        return value if _is_scalar(value) else self._text(value)

    def _first(self, values: Any, count: int, depth: int) -> Iterator[tuple[Any, ...]]:
        """As many as there is room for, then how many more there are. A value that holds itself ends here."""
        for number, value in enumerate(values):
            if self._left <= 0 or depth > _DEEPEST:
                yield (f"{CUT} {count - number} more",)
                return
            self._left -= 1
            yield value

    def _text(self, value: object) -> str:
        try:
            text = value if isinstance(value, str) else str(value)
        except Exception:
            text = f"a {type(value).__name__} that cannot be shown"
        return plain(self._secrets.mask(text), self._longest)

    def _traceback(self, error: BaseException) -> str:
        """Its first lines and, most of all, its last."""
        text = self._secrets.mask("".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip())
        if len(text) > self._longest:
            text = f"{text[: self._longest // 4]}\n{CUT}\n{text[-(self._longest // 2) :]}"
        return plain_lines(text, self._longest)


def _is_scalar(value: object) -> bool:
    """Whether it is itself in JSON, and short."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 1 << 63)
