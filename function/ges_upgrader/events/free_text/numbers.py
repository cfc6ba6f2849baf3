"""Which words with digits are GES versions, which are dates, times and addresses, and which cannot be told."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from itertools import islice

from ges_upgrader.domain.version import Version
from ges_upgrader.events.free_text.lexing import Item

# GES versions have one digit first (ges.md 6). Two digits there are rather a date (26.11.25) or an address.
_VERSION = re.compile(r"(?P<product>ges)?v?(?P<number>(?:0|[1-9])(?:\.(?:0|[1-9][0-9]{0,2})){2,3})")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_LIKE_VERSION = re.compile(r"[0-9]\.[0-9]+\.[0-9x]")
_DATE_OR_TIME = re.compile(
    r"20[0-9]{2}[-./][0-9]{1,2}(?:[-./][0-9]{1,2})?(?:t[0-9:.]+(?:z|[+-][0-9:]+)?)?|[0-9]{1,2}[-./][0-9]{1,2}[-./]20[0-9]{2}"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{1,14}(?:st|nd|rd|th)?"
)
_REGION = re.compile(r"[a-z]{2}-[a-z]+-[0-9]{1,2}")
_MENTION = re.compile(r"(?<![0-9.])[0-9](?:\.[0-9]{1,3}){2,3}(?![0-9]|\.[0-9])")
_BEFORE = re.compile(
    "[\\s\"'“”‘’()\\[\\]{}（）【】《》「」『』:,;、。—•·\u3400-\u9fff\uf900-\ufaff\u2600-\u27bf\U0001f000-\U0001faff]"
)
_AFTER = re.compile(
    "[\\s\"'“”‘’()\\[\\]{}（）【】《》「」『』:,;、。.!?…—•·\u3400-\u9fff\uf900-\ufaff\u2600-\u27bf\U0001f000-\U0001faff]"
)

_STOPS = tuple(".,;:!?")
_MOST_MENTIONS = 500

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = "(?P<name>" + "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS) + "|sept)"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_DATES = (
    re.compile(r"(?<![0-9.])(?P<year>20[0-9]{2})[-/.](?P<month>[0-9]{1,2})(?:[-/.](?P<day>[0-9]{1,2}))?(?![0-9.])"),
    re.compile(r"(?:(?P<year>20[0-9]{2}) ?年 ?)?(?<![0-9.])(?P<month>[0-9]{1,2}) ?月(?: ?(?P<day>[0-9]{1,2}) ?[日号])?"),
    re.compile(rf"\b{_MONTH}\b\.?(?: {_DAY}\b(?!:))?(?:,? ?(?P<year>20[0-9]{{2}}))?"),
    re.compile(rf"(?<![0-9.]){_DAY} (?:of )?{_MONTH}\b\.?(?:,? (?P<year>20[0-9]{{2}}))?"),
    re.compile(r"(?<![0-9.-])(?P<year>20[0-9]{2})(?: ?年|\b(?![-/.:]))"),
)


def numeral(item: Item, text: str) -> str | None:
    """`V`: a GES version. `A`: four numbers that could be an address. `D`: a date, a time or a number. `?`: like a version."""
    if not any(map(str.isdigit, item.text)):
        return None
    if _DATE_OR_TIME.fullmatch(item.text):
        return "D"
    return _version_kind(item, text) or _number_kind(item.text)


def _version_kind(item: Item, text: str) -> str | None:
    found = _VERSION.fullmatch(item.text)
    if found is None or not _stands_alone(item, text):
        return None
    return "A" if found["number"].count(".") == 3 and not found["product"] else "V"


def _number_kind(word: str) -> str | None:
    """The kind of a word that is no version."""
    if _ADDRESS.fullmatch(word):
        return "D"
    return "?" if _LIKE_VERSION.search(word) else None


def version_of(item: Item) -> Version:
    """The version of a word that `numeral` calls `V` or `A`."""
    found = _VERSION.fullmatch(item.text)
    assert found is not None
    return Version.written(found["number"])


def names_product(item: Item) -> bool:
    """Whether product name and version are one word, as in GES2.4.15."""
    return item.text.startswith("ges")


def region_of(item: Item) -> str | None:
    return item.text if _REGION.fullmatch(item.text) else None


def mentioned(text: str) -> list[Version]:
    """Every version that a text may name, however it is written, in order and once each."""
    found: dict[Version, None] = {}
    for spelling in islice(dict.fromkeys(_MENTION.findall(text)), _MOST_MENTIONS):
        try:
            found.setdefault(Version.written(spelling))
        except ValueError:
            continue
    return list(found)


def latest_date(text: str, now: date) -> date | None:
    """The last date that the text names. Without a year it is the nearest one; without a day, the month's first."""
    found = (_date(one, now) for pattern in _DATES for one in pattern.finditer(text))
    return max(filter(None, found), default=None)


def _stands_alone(item: Item, text: str) -> bool:
    """Whether blanks, brackets, quotes, Chinese characters or the ends of a sentence are around the word."""
    return _is_free_before(text, item.begin) and _is_free_after(text, item.end)


def _is_free_before(text: str, begin: int) -> bool:
    before = text[begin - 1 : begin]
    if before == ":" and text[begin - 2 : begin - 1].isascii():
        return False
    return not before or _BEFORE.match(before) is not None


def _is_free_after(text: str, end: int) -> bool:
    after, beyond = text[end : end + 1], text[end + 1 : end + 2]
    if after in _STOPS and beyond and not _AFTER.match(beyond):  # 2.4.15.* or 2.4.15:8080
        return False
    return not after or _AFTER.match(after) is not None


def _date(found: re.Match[str], now: date) -> date | None:
    given = {name: value for name, value in found.groupdict().items() if value}
    if _is_verb(given):
        return None
    month, day = _month(given), int(given.get("day", 1))
    dates = [date(year, month, day) for year in _years(given, now) if _exists(year, month, day)]
    return min(dates, key=lambda one: abs(one - now), default=None)


def _is_verb(given: Mapping[str, str]) -> bool:
    """Whether `may` without a day is rather the verb than the month."""
    return given.get("name") == "may" and "day" not in given


def _years(given: Mapping[str, str], now: date) -> tuple[int, ...]:
    return (int(given["year"]),) if "year" in given else (now.year - 1, now.year, now.year + 1)


def _month(given: Mapping[str, str]) -> int:
    if "name" not in given:
        return int(given.get("month", 1))
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(given["name"][:3]))


def _exists(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
