"""What an operator meant by the text of a window that cannot be read. Imported only when one is refused. Pure."""

from __future__ import annotations

import re
import unicodedata

_LONGEST_TEXT = 200
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS = {
    **dict.fromkeys(("", "daily", "everyday", "any", "all"), "*"),
    **dict.fromkeys(("weekdays", "weekday", "workdays", "工作日"), "Mon-Fri"),
    **dict.fromkeys(("weekends", "weekend", "周末"), "Sat,Sun"),
    **dict.fromkeys(("每天", "每日"), "*"),
    **{f"{week}{day}": name for week in ("周", "星期", "礼拜") for day, name in zip("一二三四五六日", _DAYS)},
    **dict.fromkeys(("周天", "星期天"), "Sun"),
}
_TIME = r"(\d{1,2})(?:[:.](\d\d)|h)?(?::\d\d)?\s*([ap]\.?m\.?)?"
_TEXT = re.compile(rf"(?P<days>\D*?)\s*{_TIME}\s*(?:-|~|to|until|till)\s*{_TIME}(?:\s+(?P<zone>.*))?", re.IGNORECASE)


def meant(text: str) -> tuple[str, str] | None:
    """The window as it should be written, and its zone, which may be empty or none; None: nothing comes to mind."""
    if len(text) > _LONGEST_TEXT:
        return None
    plain = re.sub("[‐‑‒–—―−]", "-", unicodedata.normalize("NFKC", text)).strip()
    match = _TEXT.fullmatch(plain)
    days = _days(match["days"]) if match else None
    if match is None or days is None:
        return None
    opens, closes = _time(*match.group(2, 3, 4)), _time(*match.group(5, 6, 7))
    zone = (match["zone"] or "").strip(" ()")
    return (f"{days} {opens}-{closes}", zone) if opens and closes else None


def _days(text: str) -> str | None:
    words = re.sub(r"\s*(?:-|\bto\b|\bthrough\b)\s*", "-", text.strip().lower())
    words = re.sub(r"\bevery\s*day\b|^every\b|^on\b|\*", lambda found: "daily" if "day" in found[0] else "", words).strip()
    if words in _WORDS:
        return _WORDS[words]
    found = [_span(word) for word in re.split(r"[\s,;/&+、]+|\band\b", words) if word]
    return ",".join(span for span in found if span) if all(found) else None


def _span(word: str) -> str | None:
    if word in _WORDS:
        return _WORDS[word]
    ends = [_day(end) for end in word.split("-")]
    return "-".join(end for end in ends if end) if all(ends) and len(ends) <= 2 else None


def _day(word: str) -> str | None:
    plain = word.rstrip(".")
    known = dict(zip(_NAMES, _DAYS))
    singular = plain[:-1] if plain.endswith("s") and plain[:-1] in known else plain
    begun = [short for name, short in known.items() if len(singular) >= 2 and name.startswith(singular)]
    return _WORDS.get(plain) or (begun[0] if len(begun) == 1 else None)


def _time(hours: str, minutes: str | None, half: str | None) -> str | None:
    hour, minute = int(hours), int(minutes or 0)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower().startswith("p") else 0)
    return f"{hour:02}:{minute:02}" if hour * 60 + minute <= 24 * 60 and minute < 60 else None
