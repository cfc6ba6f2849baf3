"""Text from outside, made safe to show: on one line, without invisible characters, and bounded. Pure.

Names, reasons and announcements come from GES, from messages and from operators. They must not forge a line of a mail,
turn the text around them, or fill a message. HTML stays text: nothing here is rendered.
"""

from __future__ import annotations

import re

# The longest texts, in characters: a name, a reason or an error of a service, an explanation.
MOST_NAME, MOST_REASON, MOST_DETAIL = 256, 500, 4000
FOLD = " ⏎ "  # stands for one or more line breaks
CUT = "…"  # ends a text that was longer

_BREAKS = re.compile("[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
# What no reader sees and some writing needs: joiners, soft hyphens, selectors of variants (those of emoji stay).
_ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u3164\ufe00-\ufe0d\ufeff\uffa0"
    "\U000e0000-\U000e0fff"
)
# What steers the reader's program: controls, directions of writing, halves of a surrogate pair, other format characters.
_STEERING = (
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u200e\u200f\u202a-\u202e"
    "\u2065-\u206f\ud800-\udfff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a"
)
_REMOVED = re.compile(f"[{_ZERO_WIDTH}]+")
_SHOWN = re.compile(f"[{_STEERING}]")
_UNSEEN = f"[{_ZERO_WIDTH}{_STEERING}\x85\u2028\u2029]"  # compiled when a command is shown


def plain(text: str, most: int) -> str:
    """The text on one line of at most `most` characters. Ordinary text is unchanged, and so is a text that is plain.

    Line breaks become FOLD, tabs blanks. Zero-width characters go; controls and directions of writing become U+FFFD.
    """
    text = _SHOWN.sub("\ufffd", _REMOVED.sub("", text.replace("\t", " ")))
    lines = _BREAKS.split(text)
    if len(lines) > 1:
        text = FOLD.join(filter(None, (line.strip(" ") for line in lines)))
    return _cut(text, most)


def plain_lines(text: str, most: int) -> str:
    """Our own text, whose line feeds are meant: each line plain, all of it at most `most` characters."""
    return _cut("\n".join(plain(line, most) for line in text.split("\n")), most)


def visible_json(text: str) -> str:
    """JSON with the same meaning in which what nobody sees is written as an escape, so that it can be read and pasted."""
    return re.sub(_UNSEEN, _escape, text)


def _escape(unseen: re.Match[str]) -> str:
    units = unseen[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[start : start + 2].hex()}" for start in range(0, len(units), 2))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(CUT)] + CUT
