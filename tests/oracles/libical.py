"""Asks libical for the occurrences of rules drawn at random, and writes libical.json beside itself.

Run once, by hand, with libical 3 installed (Debian: `apt-get install libical3`): `python -m tests.oracles.libical`.
libical is asked through `icalrecur_expand_recurrence`, in a process of its own for each rule, as it may search for ever. It
reads none of our code, and ours none of its own.

Left out are rules that libical 3.0.16 itself reads against RFC 5545:
- BYSETPOS with DAILY or WEEKLY (ignored), or beside several times a day (counts days);
- a negative BYMONTHDAY with DAILY (ignored);
- the first and the last two weeks of a year in BYWEEKNO, and weeks from the end; BYWEEKNO or BYYEARDAY beside another part
  that names months or days (answers nothing); BYYEARDAY with BYSETPOS (a day named twice counts twice);
- rules that our policy refuses: BYMONTHDAY without BYMONTH in a year, BYWEEKNO without BYDAY.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

TARGET = Path(__file__).with_suffix(".json")
RULES, MOST = 260, 25
YEARS = timedelta(days=5 * 365)
EPOCH = datetime(1970, 1, 1)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def main() -> None:
    drawn = random.Random(5545)
    rows: list[str] = []
    while len(rows) < RULES:
        rule = _rule(drawn)
        start = datetime(drawn.randint(2024, 2027), drawn.randint(1, 12), drawn.randint(1, 31 - 3), drawn.choice([2, 23]))
        found = _asked(rule, start)
        if found is not None and (found or len(rows) % 20 == 0):
            # Cut at MOST, or at the last that is asked for: `end` is where the comparison ends.
            end = found[-1] + timedelta(minutes=1) if len(found) == MOST else start + YEARS
            within = [f"{one:%Y-%m-%dT%H:%M}" for one in found if one < end]
            rows.append(json.dumps([rule, f"{start:%Y-%m-%dT%H:%M}", f"{end:%Y-%m-%dT%H:%M}", within]))
    TARGET.write_text("[\n" + ",\n".join(rows) + "\n]\n")


def _asked(rule: str, start: datetime) -> list[datetime] | None:
    """None: libical does not answer."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        os.close(read)
        with os.fdopen(write, "w") as answer:
            answer.write(json.dumps(_expanded(rule, start)))
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return [EPOCH + timedelta(seconds=one) for one in json.loads(text)] if text else None


def _expanded(rule: str, start: datetime) -> list[int]:
    library = ctypes.CDLL("libical.so.3")
    expand = library.icalrecur_expand_recurrence
    expand.argtypes = [ctypes.c_char_p, ctypes.c_int64, ctypes.c_int, ctypes.POINTER(ctypes.c_int64)]
    found = (ctypes.c_int64 * MOST)()
    expand(rule.encode(), (start - EPOCH) // timedelta(seconds=1), MOST, found)
    return [one for one in found if one]


def _rule(drawn: random.Random) -> str:
    def some(of: Sequence[object], most: int = 3) -> str:
        return ",".join(str(of[place]) for place in sorted(drawn.sample(range(len(of)), drawn.randint(1, most))))

    def chance(part: float) -> bool:
        return drawn.random() < part

    frequency = drawn.choice(["DAILY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY", "YEARLY"])
    parts = {"FREQ": frequency}
    if chance(0.4):
        parts["INTERVAL"] = str(drawn.randint(1, 4))
    named = drawn.choice(["week", "year day", "", "", "", ""]) if frequency == "YEARLY" else ""
    if named == "week":
        parts |= {"BYWEEKNO": some(range(3, 51)), "BYDAY": some(DAYS)}
    elif named == "year day":
        parts["BYYEARDAY"] = some([1, 59, 60, 100, 200, 300, 365, -1, -100])
    else:
        if chance(0.4):
            parts["BYMONTH"] = some(range(1, 13))
        if frequency != "WEEKLY" and (frequency != "YEARLY" or "BYMONTH" in parts) and chance(0.4):
            parts["BYMONTHDAY"] = some([*range(1, 32), *(() if frequency == "DAILY" else (-1, -2, -7, -31))])
        if chance(0.6):
            parts["BYDAY"] = some(_numbered(drawn, frequency, parts))
    one_time = True
    if chance(0.2):
        parts["BYHOUR"] = some(range(24), 2)
        one_time = "," not in parts["BYHOUR"]
    days = {"BYMONTH", "BYMONTHDAY", "BYDAY"} & set(parts)
    if one_time and days and frequency in ("MONTHLY", "YEARLY") and not named and chance(0.4):
        parts["BYSETPOS"] = some([1, 2, 3, -1, -2], 2)
    if chance(0.3):
        parts["WKST"] = drawn.choice(["SU", "MO", "WE"])
    if chance(0.2):
        parts["COUNT"] = str(drawn.randint(1, 30))
    elif chance(0.2):
        parts["UNTIL"] = drawn.choice(["20280101T000000", "20290315T020000", "20281224T235959"])
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _numbered(drawn: random.Random, frequency: str, parts: dict[str, str]) -> list[str]:
    """Days of the week, or of the month or year by their numbers."""
    if frequency not in ("MONTHLY", "YEARLY") or "BYMONTHDAY" in parts or drawn.random() < 0.5:
        return list(DAYS)
    of_a_month = frequency == "MONTHLY" or "BYMONTH" in parts
    numbers = [1, 2, 3, 4, 5, -1, -2] if of_a_month else [1, 2, 10, 20, 50, -1, -10]
    return [f"{drawn.choice(numbers)}{day}" for day in DAYS]


if __name__ == "__main__":
    main()
