"""Policies by the seed: as text for the function, and as plain numbers for the checks, which must not read the text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.builders import TOPIC, at

BEGIN = at("2026-10-12 00:00")  # a month in which the clocks of Europe and America change
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BUCKET = "state"
RARE_DAY = 10  # of the month, on which a rare window opens


@dataclass(frozen=True)
class Window:
    """Opens on these days of the week, at `opens` by the clocks of the zone, for `length`.

    With `months`, it is rare: it opens on the 10th of these months only, whatever day of the week that is.
    """

    days: tuple[int, ...]
    opens: time
    length: timedelta
    zone: str
    months: tuple[int, ...] = ()

    @property
    def written(self) -> Any:
        if self.months:
            rule = f"FREQ=YEARLY;BYMONTH={','.join(map(str, self.months))};BYMONTHDAY={RARE_DAY}"
            start = datetime(2025, self.months[0], RARE_DAY, self.opens.hour, self.opens.minute)
            return {"rrule": rule, "start": f"{start:%Y-%m-%dT%H:%M}", "duration": _minutes(self.length), "timezone": self.zone}
        end = (datetime.combine(BEGIN, self.opens) + self.length).time()
        return f"{','.join(DAYS[day] for day in self.days)} {self.opens:%H:%M}-{end:%H:%M} {self.zone}"

    def opens_on(self, day: date) -> bool:
        return day.month in self.months and day.day == RARE_DAY if self.months else day.weekday() in self.days

    def openings(self, around: datetime) -> list[tuple[datetime, datetime]]:
        """The days around an instant on which it opens, as its clocks show them."""
        days = [around.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=shift) for shift in range(-2, 3)]
        opened = [datetime.combine(day, self.opens, ZoneInfo(self.zone)) for day in days if self.opens_on(day)]
        return [(one.astimezone(around.tzinfo), one.astimezone(around.tzinfo) + self.length) for one in opened]


@dataclass(frozen=True)
class Freeze:
    begins: datetime
    ends: datetime
    rules: tuple[str, ...] | None


@dataclass
class Rule:
    """Governs the graphs whose names begin with `prefix`, whatever it is called."""

    name: str
    prefix: str
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
            "match": {"name": f"{self.prefix}_*"},
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
    journal_keep: timedelta = 10 * DAY

    @property
    def text(self) -> str:
        fields: dict[str, Any] = {
            "notify": {"topic": TOPIC, "on": ["planned", "started", "succeeded", "failed", "blocked", "overrun"]},
            "state": f"obs://{BUCKET}/ges",
            "journal_keep": _minutes(self.journal_keep),
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
        return next((rule for rule in self.rules if graph.startswith(f"{rule.prefix}_")), None)

    def named(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.name == name), None)

    def before(self, rule: Rule) -> list[Rule]:
        """The rules that it waits for."""
        return [other for other in self.rules if other.name in rule.after]

    def all_before(self, rule: Rule) -> list[Rule]:
        """Those, and the ones that they wait for."""
        return [one for before in self.before(rule) for one in (before, *self.all_before(before))]


def draw(random: Random, years: bool = False) -> Policy:
    """`years`: windows open a few times a year, and the journal forgets early."""
    names = ["dev", "test", "prod"][: random.choice([1, 2, 2, 3, 3])]
    rules = []
    for number, name in enumerate(names):
        rule = Rule(name, prefix=name)
        if random.random() < 0.8:
            rule.windows = tuple(_window(random, years) for _ in range(random.choice([1, 1, 2])))
            rule.cutoff = random.choice([timedelta(), timedelta(minutes=30), HOUR])
        rule.min_release_age = random.choice([timedelta(), timedelta(), 6 * HOUR, 2 * DAY])
        rule.notice = random.choice([timedelta(), timedelta(), 7 * DAY if years else 12 * HOUR])
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


def change(policy: Policy, random: Random) -> Policy:
    """The policy after an operator edited it: a window moved, or a rule renamed, removed or moved in the list."""
    rules = [replace(rule) for rule in policy.rules]
    edited = replace(policy, rules=rules, freezes=list(policy.freezes))
    rule = random.choice(rules)
    edit = random.choice(["window", "window", "rename", "remove", "reorder", "limits"])
    if edit == "window":
        rule.windows = (_window(random),)
    elif edit == "rename":
        _rename(edited, rule.name, f"{rule.prefix}-{random.randrange(100)}")
    elif edit == "remove" and len(rules) > 1:
        rules.remove(rule)
        _rename(edited, rule.name, None)
    elif edit == "reorder":
        random.shuffle(rules)
    else:
        rule.max_concurrent, rule.max_failures = random.choice([1, 2, 3]), random.choice([1, 2, 3])
    return edited


def _rename(policy: Policy, old: str, new: str | None) -> None:
    """Every mention of the rule has the new name; None: is left out."""

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in (new if name == old else name for name in names) if name)

    for rule in policy.rules:
        rule.after = renamed(rule.after)
        rule.name = new if rule.name == old and new else rule.name
    policy.freezes = [
        replace(one, rules=one.rules and renamed(one.rules)) for one in policy.freezes if one.rules != (old,) or new
    ]


def _window(random: Random, years: bool = False) -> Window:
    days = random.choice([tuple(range(7)), (0, 2, 4), (5, 6), (1, 3)])
    opens = random.choice([time(2), time(1, 30), time(22), time(12)])
    zone = random.choice(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York"])
    months = random.choice([(3, 9), (1, 4, 7, 10), (6,)]) if years and random.random() < 0.7 else ()
    return Window(days, opens, timedelta(hours=random.choice([4, 5, 6])), zone, months)


def _minutes(length: timedelta) -> str:
    return f"{int(length.total_seconds() // 60)}m"
