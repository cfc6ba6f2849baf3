"""What is wrong between the fields of a policy, each of which may be right by itself. Pure, and without a clock.

Only what can never work is an error here. What depends on the time (a freeze that has begun, a last window that is over)
is a warning (`diagnosis/lint.py`): a policy that was accepted must not be refused later.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

import msgspec
from msgspec import UNSET

from ges_upgrader.domain.duration import spelled
from ges_upgrader.policy.cypher import problem as why_refused
from ges_upgrader.policy.freezes import Freeze
from ges_upgrader.policy.schema import HealthCheck, Policy, Rule
from ges_upgrader.schedule.calendars import why_never
from ges_upgrader.schedule.wallclock import instant
from ges_upgrader.schedule.windows import Window

# The years in which windows are looked for, by the wall clock.
FIRST, LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001
MOST_NAMES = 20
LONGEST_NAME = 200  # it stands in every message, command and record about the rule
MOST_YEARS = 2000  # looked through for all rules together: a search that finds nothing costs about a millisecond a year


class Written(msgspec.Struct, frozen=True):
    """A policy, the numbers that its rules have in what was written, and the problems that are known already."""

    policy: Policy
    numbers: list[int]
    problems: tuple[str, ...]

    def wrong(self, field: str) -> bool:
        """Whether something of the field is known to be wrong, so that what follows from it is no problem of its own."""
        return any(problem.startswith(field) for problem in self.problems)

    @property
    def rules(self) -> Iterator[tuple[str, Rule]]:
        """The rules with their paths."""
        for number, rule in zip(self.numbers, self.policy.rules):
            yield f"rules[{number}]", rule


def contradictions(policy: Policy, numbers: list[int], problems: tuple[str, ...]) -> Iterator[str]:
    written = Written(policy, numbers, problems)
    for check in (_missing, _memory, _topics, _freezes, _names, _references, _health_checks, _cycles, _never_start):
        yield from check(written)


def _missing(written: Written) -> Iterator[str]:
    if written.policy.notify is UNSET and not written.wrong("notify"):
        yield "notify: missing; expected the URN of the SMN topic to notify"
    if not written.policy.rules and not written.wrong("rules"):
        yield "rules: missing; expected at least one rule, as [{windows: [...]}]"


def _memory(written: Written) -> Iterator[str]:
    """Without a journal a release is forgotten before the window opens, and so is all else that is waited for."""
    policy = written.policy
    if policy.state.given or written.wrong("state"):
        return
    fields = {field for _, rule in written.rules for field in rule.needing_memory} | ({"freezes"} if policy.freezes else set())
    if fields:
        yield (
            f"state: missing; {', '.join(sorted(fields))} can only work if releases, notices and results are remembered "
            "between runs; add the line `state: obs://<bucket>/ges-upgrader` with a bucket of yours"
        )


def _topics(written: Written) -> Iterator[str]:
    notify = written.policy.notify
    for number, topic in enumerate(written.policy.release_topics or ()):
        if notify is not UNSET and topic.urn == notify.topic.urn:
            yield f"release_topics[{number}]: is also the topic of notify; results would come back as releases"


def _freezes(written: Written) -> Iterator[str]:
    for number, freeze in enumerate(written.policy.freezes):
        place = f"freezes[{number}]"
        if not written.wrong(place):
            yield from _freeze(place, freeze)


def _freeze(place: str, freeze: Freeze) -> Iterator[str]:
    """A freeze has a beginning and an end, or recurs."""
    given = {"from": freeze.begins, "until": freeze.until}
    missing = [name for name, value in given.items() if value is None]
    if freeze.when is not None:
        beside = (name for name, value in {**given, "timezone": freeze.timezone}.items() if value is not None)
        yield from (f"{place}.{name}: when says it already; remove {name}, or write from and until alone" for name in beside)
    elif len(missing) == 1:
        yield f"{place}: the field {missing[0]} is missing"
    elif missing:
        yield f"{place}: when it holds is missing; expected from and until, or when if it recurs"
    else:
        yield from _period(place, freeze)


def _period(place: str, freeze: Freeze) -> Iterator[str]:
    try:
        begin, end = freeze.period
    except ValueError as error:
        yield f"{place}.timezone: {error}"
        return
    if end <= begin:
        assert freeze.begins is not None and freeze.until is not None
        yield f"{place}.until: {freeze.until.text} is not after {freeze.begins.text}; the freeze would be empty"


def _names(written: Written) -> Iterator[str]:
    earlier: set[str] = set()
    for place, rule in written.rules:
        if rule.name in earlier:
            yield f"{place}.name: {rule.name!r} is the name of an earlier rule"
        if len(rule.name) > LONGEST_NAME:
            yield f"{place}.name: has {len(rule.name)} characters; at most {LONGEST_NAME} are accepted"
        earlier.add(rule.name)


def _references(written: Written) -> Iterator[str]:
    """Names of rules that there are not, unless a name is unknown as its rule or it could not be read."""
    if any(re.match(r"rules(\[\d+\](\.name)?)?:", problem) for problem in written.problems):
        return
    names = [rule.name for rule in written.policy.rules]
    known = set(names)
    freezes = ((f"freezes[{number}].rules", freeze.rules or ()) for number, freeze in enumerate(written.policy.freezes))
    for place, named in (*freezes, *((f"{place}.after", rule.after) for place, rule in written.rules)):
        for name in named:
            if name not in known:
                yield f"{place}: {name!r} is not the name of a rule; accepted are {_some(names)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def _health_checks(written: Written) -> Iterator[str]:
    for place, rule in written.rules:
        if isinstance(rule.health_check, HealthCheck):
            yield from (f"{place}.health_check{problem}" for problem in _health_check(rule.health_check))


def _health_check(check: HealthCheck) -> Iterator[str]:
    if check.rows is not None and not check.cypher:
        yield ".rows: rows need a statement in cypher that returns them"
    if check.statements and check.cypher:
        yield ".cypher: expected either cypher or statements; make it one of the statements"
    if not check.statements and check.max_growth != HealthCheck().max_growth:
        yield ".max_growth: only statements are measured before and after; write the statement as one of them"
    yield from _statement("", check.cypher)
    names = Counter(one.name for one in check.statements)
    for number, one in enumerate(check.statements):
        if names[one.name] > 1:
            yield f".statements[{number}].name: {one.name!r} is the name of another statement, too; give each its own"
        yield from _statement(f".statements[{number}]", one.cypher)


def _statement(place: str, cypher: str | None) -> Iterator[str]:
    problem = why_refused(cypher) if cypher else None
    if problem:
        yield f"{place}.cypher: {problem}; a health check only reads: begin with MATCH and end with RETURN"


def _cycles(written: Written) -> Iterator[str]:
    from graphlib import CycleError, TopologicalSorter

    if len({rule.name for rule in written.policy.rules}) < len(written.policy.rules):
        return  # whom a rule waits for is not known
    try:
        TopologicalSorter({rule.name: rule.after for rule in written.policy.rules}).prepare()
    except CycleError as error:
        yield f"rules: {' after '.join(reversed(error.args[1]))}: each waits for the other; nothing could ever start"


def _never_start(written: Written) -> Iterator[str]:
    """Windows that never open, at whatever time that is asked, and a cutoff that fills each of them."""
    years = MOST_YEARS
    for place, rule in written.rules:
        walls: list[datetime] = []
        for number, window in enumerate(rule.windows):
            if window.recurrence is None or years <= 0:
                break
            wall = next(window.recurrence.walls(FIRST, LAST), None)
            years -= 1 + (wall or LAST).year - FIRST.year
            if wall is None:
                yield f"{place}.windows[{number}]: opens on no day of the years {FIRST.year} to {LAST.year - 1}"
            else:
                walls.append(wall)
        if walls and len(walls) == len(rule.windows) and _filled(rule, walls):
            yield f"{place}.cutoff: {_cutoff(rule)} as long as the windows; nothing could ever start"


def _filled(rule: Rule, walls: Sequence[datetime]) -> bool:
    """Whether the cutoff is as long as every window, those that touch taken as one.

    It is looked at when the first of them opens, and when all of them have begun to.
    """
    cutoff = rule.cutoff.least
    if any(window.length > cutoff for window in rule.windows):
        return False
    opened = [_utc(wall, window) for wall, window in zip(walls, rule.windows)]
    return all(why_never(rule.windows, cutoff, (), at) is not None for at in {min(opened), max(opened)})


def _utc(wall: datetime, window: Window) -> datetime:
    return instant(wall, window.zone).astimezone(timezone.utc)


def _cutoff(rule: Rule) -> str:
    return f"{rule.cutoff.text} is" if rule.cutoff.length is not None else f"auto, at least {spelled(rule.cutoff.least)}, is"
