"""Policies by the seed: as text for the function, and as plain numbers for the checks, which must not read the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.builders import TOPIC, at

BEGIN = at("2026-10-12 00:00")  # a month in which the clocks of Europe and America change
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BUCKET = "state"


@dataclass(frozen=True)
class Window:
    """Opens on these days of the week, at `opens` by the clocks of the zone, for `length`."""

    days: tuple[int, ...]
    opens: time
    length: timedelta
    zone: str

    @property
    def written(self) -> str:
        end = (datetime.combine(BEGIN, self.opens) + self.length).time()
        return f"{','.join(DAYS[day] for day in self.days)} {self.opens:%H:%M}-{end:%H:%M} {self.zone}"

    def openings(self, around: datetime) -> list[tuple[datetime, datetime]]:
        """The days around an instant on which it opens, as its clocks show them."""
        days = [around.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=shift) for shift in range(-2, 3)]
        opened = [datetime.combine(day, self.opens, ZoneInfo(self.zone)) for day in days if day.weekday() in self.days]
        return [(one.astimezone(around.tzinfo), one.astimezone(around.tzinfo) + self.length) for one in opened]


@dataclass(frozen=True)
class Freeze:
    begins: datetime
    ends: datetime
    rules: tuple[str, ...] | None


@dataclass
class Rule:
    name: str
    windows: tuple[Window, ...] = ()
    cutoff: timedelta = timedelta(minutes=30)  # the default, also for a rule without windows
    mode: str = "auto"
    excluded: str | None = None
    min_release_age: timedelta = timedelta()
    notice: timedelta = timedelta()
    after: tuple[str, ...] = ()
    soak: timedelta = timedelta()
    max_concurrent: int = 1
    max_failures: int = 1
    backup: bool = False
    force: Any = "never"
    job_timeout: timedelta = timedelta(hours=2)

    @property
    def written(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "name": self.name,
            "match": {"name": f"{self.name}_*"},
            "mode": self.mode,
            "min_release_age": _minutes(self.min_release_age),
            "notice": _minutes(self.notice),
            "after": list(self.after),
            "soak": _minutes(self.soak),
            "max_concurrent": self.max_concurrent,
            "max_failures": self.max_failures,
            "backup": "required" if self.backup else "none",
            "force": self.force,
            "job_timeout": _minutes(self.job_timeout),
        }
        if self.windows:
            fields |= {"windows": [window.written for window in self.windows], "cutoff": _minutes(self.cutoff)}
        if self.excluded:
            fields["versions"] = f">=2.4.4,!={self.excluded}"
        return fields

    def open_at(self, now: datetime, slack: timedelta) -> bool:
        """Whether it may start. `slack` is how far the asker's clock may be off. Windows that overlap are one."""
        joined: list[tuple[datetime, datetime]] = []
        for opened, closed in sorted(opening for window in self.windows for opening in window.openings(now)):
            if joined and opened <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(joined[-1][1], closed)
            else:
                joined.append((opened, closed))
        return not self.windows or any(opened - slack <= now < closed - self.cutoff + slack for opened, closed in joined)


@dataclass
class Policy:
    rules: list[Rule]
    freezes: list[Freeze] = field(default_factory=list)
    max_concurrent: int | None = None
    follow_up: str = "timer"

    @property
    def text(self) -> str:
        fields: dict[str, Any] = {
            "notify": {"topic": TOPIC, "on": ["planned", "started", "succeeded", "failed", "blocked", "overrun"]},
            "state": f"obs://{BUCKET}/ges",
            "journal_keep": "10d",
            "follow_up": self.follow_up,
            "api": "v2",
            "rules": [rule.written for rule in self.rules],
            "freezes": [
                {"from": one.begins.isoformat(), "until": one.ends.isoformat()}
                | ({"rules": list(one.rules)} if one.rules else {})
                for one in self.freezes
            ],
        }
        if self.max_concurrent:
            fields["max_concurrent"] = self.max_concurrent
        return yaml.safe_dump(fields)

    def rule_of(self, graph: str) -> Rule | None:
        return next((rule for rule in self.rules if graph.startswith(f"{rule.name}_")), None)

    def before(self, rule: Rule) -> list[Rule]:
        """The rules that it waits for."""
        return [other for other in self.rules if other.name in rule.after]

    def all_before(self, rule: Rule) -> list[Rule]:
        """Those, and the ones that they wait for."""
        return [one for before in self.before(rule) for one in (before, *self.all_before(before))]


def draw(random: Random) -> Policy:
    names = ["dev", "test", "prod"][: random.choice([1, 2, 2, 3, 3])]
    rules = []
    for number, name in enumerate(names):
        rule = Rule(name)
        if random.random() < 0.8:
            rule.windows = tuple(_window(random) for _ in range(random.choice([1, 1, 2])))
            rule.cutoff = random.choice([timedelta(), timedelta(minutes=30), HOUR])
        rule.min_release_age = random.choice([timedelta(), timedelta(), 6 * HOUR, 2 * DAY])
        rule.notice = random.choice([timedelta(), timedelta(), 12 * HOUR])
        if number and random.random() < 0.7:
            rule.after = (random.choice(names[:number]),)
            rule.soak = random.choice([timedelta(), 12 * HOUR, 2 * DAY])
        rule.mode = random.choice(["auto", "auto", "auto", "approve"])
        rule.excluded = random.choice([None, None, None, "2.4.9"])
        rule.max_concurrent = random.choice([1, 1, 2, 3])
        rule.max_failures = random.choice([1, 1, 2, 3])
        rule.backup = random.random() < 0.3
        rule.force = random.choice(["never", "never", "always", {"after": "1h"}])
        rule.job_timeout = random.choice([timedelta(minutes=30), timedelta(hours=2)])
        rules.append(rule)
    policy = Policy(rules)
    if random.random() < 0.4:
        begins = BEGIN + timedelta(hours=random.randrange(24, 24 * 14))
        rules_held = random.choice([None, (random.choice(names),)])
        policy.freezes = [Freeze(begins, begins + timedelta(hours=random.choice([6, 48, 96])), rules_held)]
    policy.max_concurrent = random.choice([None, None, 2])
    policy.follow_up = random.choice(["timer", "invoke"])
    return policy


def _window(random: Random) -> Window:
    days = random.choice([tuple(range(7)), (0, 2, 4), (5, 6), (1, 3)])
    opens = random.choice([time(2), time(1, 30), time(22), time(12)])
    zone = random.choice(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York"])
    return Window(days, opens, timedelta(hours=random.choice([4, 5, 6])), zone)


def _minutes(length: timedelta) -> str:
    return f"{int(length.total_seconds() // 60)}m"
