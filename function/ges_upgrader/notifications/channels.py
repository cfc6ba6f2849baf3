"""The limits of the channels: an SMS has 490 characters, a mail 25 lines (smn-obs-core.md A). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ges_upgrader.domain.plain_text import CUT, plain

MAX_SMS = 490  # characters, whatever bytes they take
MAX_LINES = 25
_NO_BRACKETS = str.maketrans("[]【】", "()()")  # which SMN does not take in an SMS
_PLACES = " ，。；、"  # after which a text can be cut
_MOST_SINGLE = 10  # lines of a list
_MOST_WORD = 80  # characters; in a longer word the cut is between characters


def sms(matters: str, more: str = "") -> str:
    """On one line. What matters stays whole if it fits at all, and what follows it is cut after a word."""
    first = _one_line(matters)
    whole = f"{first} {_one_line(more)}".rstrip()
    if len(whole) <= MAX_SMS:
        return whole
    short = _cut(whole)
    return short if len(first) > MAX_SMS or len(short) > len(first) else first


def mail(lines: Sequence[str], end: Sequence[str] = ()) -> str:
    """The lines of a mail and of its end, which is never cut; the whole text is in the JSON."""
    room = MAX_LINES - len(end)
    if len(lines) > room:
        left = len(lines) - room + 1
        lines = [*lines[: room - 1], f"{CUT} and {left} more lines, which the message's JSON has"]
    return "\n".join([*lines, *end])


def _one_line(text: str) -> str:
    return " ".join(plain(text, 4 * MAX_SMS).split()).translate(_NO_BRACKETS)


def _cut(text: str) -> str:
    head = text[: MAX_SMS - len(CUT)]
    place = max(map(head.rfind, _PLACES))
    if place >= len(head) - _MOST_WORD:
        head = head[: place + 1]
    return head.rstrip(f"{_PLACES},;:") + CUT


def in_lines(texts: Sequence[str], more: int) -> str:
    """A line for each, or for two of a long list, so that a mail keeps within its lines; and how many more there are."""
    step = 1 if len(texts) <= _MOST_SINGLE else 2
    lines = ["; ".join(texts[place : place + step]) for place in range(0, len(texts), step)]
    return "\n".join(f"  {line}" for line in [*lines, *([f"and {more} more"] if more > 0 else [])])
