"""Meaning costs time in proportion to a message, whatever it holds. Measured in CPU time, with wide margins."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.free_text.normalising import normalised
from tests.builders import NOW

SHORT, LONG = 16 * 1024, 64 * 1024 - 64  # bytes; four times as much
MOST_SECONDS = 0.15  # for the long one, where about 0.02 is usual
MOST_GROWTH = 9  # a quadratic cost grows sixteenfold


def repeated(unit: str, size: int, before: str = "") -> str:
    return before + unit * ((size - len(before.encode())) // len(unit.encode()))


WORST: dict[str, Callable[[int], str]] = {
    "fence": lambda size: "```" + "\n" * (size - 4) + "x",
    "newlines": lambda size: "\n" * (size - 1) + "x",
    "blanks": lambda size: "x" + " " * (size - 2) + "x",
    "one word": lambda size: "a" * size,
    "short words": lambda size: repeated("a ", size, "GES 2.4.15 is available "),
    "known words": lambda size: repeated("is now ", size, "GES 2.4.15 "),
    "places": lambda size: repeated("in 5 5 ", size, "GES 2.4.15 "),
    "parts": lambda size: repeated(", the", size, "GES 2.4.15 "),
    "one version": lambda size: repeated("2.4.15 ", size, "GES "),
    "many versions": lambda size: "GES " + " ".join(f"{one % 9}.{one // 9 % 900}.{one % 900}" for one in range(size // 10)),
    "dots": lambda size: repeated("1.", size),
    "hyphens": lambda size: "a" + "-" * (size - 1),
    "addresses": lambda size: repeated("a.", size // 2) + "@" + repeated("b.", size // 2 - 1),
    "mentions": lambda size: repeated("@a", size),
    "links": lambda size: repeated("h://", size),
    "open tags": lambda size: repeated("<", size),
    "tags": lambda size: repeated("<p>", size),
    "comments": lambda size: repeated("<!--", size),
    "entities": lambda size: repeated("&amp;", size, "<p>"),
    "quotes": lambda size: repeated("> \n", size),
    "lines of data": lambda size: repeated("a: b\n", size),
    "dates": lambda size: repeated("2026-11-20 ", size, "GES 2.4.15 is available "),
    "months": lambda size: repeated("march ", size, "GES 2.4.15 is available "),
    "faults": lambda size: repeated("fix bug ", size, "GES 2.4.15 "),
    "chinese": lambda size: repeated("发布", size, "GES 2.4.15 "),
    "unknown chinese": lambda size: repeated("龘", size, "GES 2.4.15 "),
    "harmless chinese": lambda size: repeated("非常不断", size, "GES 2.4.15 "),
    "accents": lambda size: repeated("\u0301\u0323", size),
    "ligatures": lambda size: repeated("\ufdfa", size),
    "superscripts": lambda size: repeated("²", size),
    "emoji": lambda size: repeated("🎉", size),
    "emoji names": lambda size: repeated(":aa: ", size),
    "open lists": lambda size: "[" * size,
    "open objects": lambda size: repeated('{"a":', size),
    "nested objects": lambda size: '{"a":' * 400 + "1" + "}" * 400 + " " * (size - 2401),
    "list of versions": lambda size: json.dumps({"versions": ["2.4.15"] * (size // 10 - 2)}),
    "withdrawn versions": lambda size: json.dumps({"event": "withdrawn", "versions": [f"2.{n}.9" for n in range(size // 12)]}),
    "fields": lambda size: json.dumps({f"k{number}": 1 for number in range(size // 12)}),
    "repeated field": lambda size: "{" + ",".join(['"a":1'] * (size // 6 - 1)) + "}",
    "long number": lambda size: '{"version":' + "9" * (size - 12) + "}",
    "long text": lambda size: json.dumps("x" * (size - 2)),
    "escapes": lambda size: json.dumps({"message": json.dumps("图" * (size // 8 - 4))}),
    "long event": lambda size: json.dumps({"event": "aA" * (size // 2 - 20), "version": "2.4.15"}),
    "long service": lambda size: json.dumps({"service": "\u0301\u0323" * (size // 4 - 20)}, ensure_ascii=False),
    "surrogates": lambda size: '{"a":"' + "\\ud800" * (size // 6 - 2) + '"}',
}


def seconds(message: str) -> float:
    """The CPU time of reading the message, the least of three tries."""
    tries = []
    for _ in range(3):
        normalised.cache_clear()
        began = time.process_time()
        read_announcement(message, "GES", NOW, named_topic=True)
        tries.append(time.process_time() - began)
    return min(tries)


@pytest.mark.parametrize("kind", sorted(WORST))
def test_cost_grows_with_length(kind: str) -> None:
    short, long = WORST[kind](SHORT), WORST[kind](LONG)
    assert len(long.encode("utf-8", "surrogatepass")) <= 64 * 1024
    cost = seconds(long)
    assert cost < MOST_SECONDS
    assert cost < 0.005 or cost < MOST_GROWTH * seconds(short)


@pytest.mark.parametrize("kind", sorted(WORST))
def test_longest_free_text_is_cheap(kind: str) -> None:
    """Below the length from which a free text is too long to announce, it is read word by word."""
    assert seconds(WORST[kind](7800)) < MOST_SECONDS
