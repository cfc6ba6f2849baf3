"""Windows, freezes and timers that are allowed, and yet likely not meant. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from ges_upgrader.diagnosis.openings import stretches, why_never
from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.freezes import Freeze
from ges_upgrader.policy.schema import Policy
from ges_upgrader.schedule.calendars import FOREVER, Calendar, blocked_by
from ges_upgrader.schedule.cron import Timer
from ges_upgrader.schedule.windows import HORIZON, Window

LOOK_AHEAD = timedelta(days=32)
LEAST_TIME, LEAST_WINDOW = timedelta(hours=48), timedelta(hours=4)
LIKELY_ONE = timedelta(days=3)  # freezes with a shorter gap between them are likely meant as one
MOST_OPENINGS = 1000  # as many as a rule has within the horizon, unless its windows open many times a day
_SOME_OPENINGS = 60
_MINUTE = timedelta(minutes=1)
_CHINA = ZoneInfo("Asia/Shanghai")
_Period = tuple[datetime, datetime, int]


def policy_warnings(survey: Survey) -> Iterator[str]:
    """About freezes and timers, each with its path."""
    for number, freeze in enumerate(survey.policy.freezes):
        yield from (f"freezes[{number}]: {text}" for text in _freeze(freeze, survey.now))
    yield from _gaps(survey)
    for number, timer in enumerate(survey.policy.timers):
        if not timer.readable:
            yield f"timers[{number}] ({timer.text}): it cannot be judged here: {timer.unread}"
        elif timer.every is None and timer.zone is None and _region_zone(survey.policy) is None:
            yield (
                f"timers[{number}] ({timer.text}): it counts in the zone of the function's region, which is unknown here; "
                f"write `CRON_TZ=<zone> {timer.text}`"
            )


def _freeze(freeze: Freeze, now: datetime) -> Iterator[str]:
    if freeze.is_over(now):
        yield f"it ended at {iso(freeze.period[1])}; remove it, or give it new dates"
    elif freeze.when is not None:
        begin, end = next(blocked_by([freeze.when], timedelta(), now), (FOREVER, FOREVER))
        if begin > now + HORIZON:
            yield f"when: it does not come within {HORIZON.days} days ({freeze.when.text}); check it, or remove the freeze"
        elif begin <= now and end > now + HORIZON:
            yield (
                f"when: it always holds for the next {HORIZON.days} days ({freeze.when.text}); to stop everything, "
                "`enabled: false` is plainer"
            )


def rule_warnings(survey: Survey, step: Step) -> Iterator[str]:
    """About the windows of a rule."""
    rule, now = step.rule, survey.now
    never = why_never(survey, step)
    if not rule.windows:
        if never is not None:
            yield f"nothing can start: {never}"
        return
    windows = Calendar(rule.windows, timedelta(), [one.held for one in survey.policy.freezes_of(rule.name)], now)
    open_for = sum((end - begin for begin, end in stretches(windows, now, LOOK_AHEAD)), timedelta())
    if open_for < LEAST_TIME:
        yield f"its windows are open for {spelled(open_for)} in the next 32 days, less than 48h: upgrades may be delayed"
    short = min((window.length for window in rule.windows), default=LEAST_WINDOW)
    if short < LEAST_WINDOW:
        yield f"a window of {spelled(short)} is short: less than 4h leaves little room for retries and for graphs in a row"
    yield from (text for window in rule.windows if (text := _runs_together(window, now)))
    if never is None:
        yield from _timers(survey, step)
    else:
        auto = rule.cutoff.length is None and "cutoff" in never
        yield f"nothing can start: {never}" + (" (auto: 90% of the fleet's own upgrades took no longer)" if auto else "")


def _runs_together(window: Window, now: datetime) -> str | None:
    """Whether it opens again before it has closed. By the wall clock: a change of the clocks is no mistake."""
    if window.recurrence is None:
        return None
    begin = now.astimezone(window.zone).replace(tzinfo=None)
    walls = islice(window.recurrence.walls(begin, begin + HORIZON), _SOME_OPENINGS)
    for first, second in pairwise(walls):
        if second - first < window.length:
            return (
                f"a window of {spelled(window.length)} opens again after {spelled(second - first)}, before it closes, so that "
                f"they run together ({window.text}); make it shorter, or name only the day on which it first opens"
            )
    return None


def _gaps(survey: Survey) -> Iterator[str]:
    """Freezes that follow each other closely, between which something can start. Each pair is named once."""
    found: dict[tuple[int, int], str] = {}
    for rule in survey.policy.rules:
        for (_, end, first), (begin, _, second) in _followers(survey.policy, rule.name):
            since = max(end, survey.now)
            if not timedelta() < begin - end <= LIKELY_ONE or begin <= since:
                continue
            opening = survey.steps[rule.name].calendar.first(since)
            if opening is not None and opening.start < begin:
                text = (
                    f"freezes[{second}]: {rule.name} may start upgrades from {iso(opening.start)} until {iso(opening.before)}, "
                    f"after freezes[{first}] and before this one; if they are meant as one, let the first end at {iso(begin)}"
                )
                found.setdefault((first, second), text)
    yield from found.values()


def _followers(policy: Policy, rule: str) -> Iterator[tuple[_Period, _Period]]:
    """Each freeze of a rule that ends last so far, and the one that begins next; those that recur aside."""
    dated = ((number, freeze) for number, freeze in enumerate(policy.freezes) if freeze.when is None)
    held = sorted((*freeze.period, number) for number, freeze in dated if freeze.holds(rule))
    last = held[0] if held else None
    for period in held[1:]:
        assert last is not None
        yield last, period
        last = max(last, period, key=lambda one: one[1])


def _timers(survey: Survey, step: Step) -> Iterator[str]:
    timers, where = survey.policy.timers, _region_zone(survey.policy)
    if not timers or not all(_judged(timer, where) for timer in timers):
        return
    openings = list(islice(stretches(step.calendar, survey.now, HORIZON), MOST_OPENINGS))
    met = any(timer.meets(begin, end, where) for begin, end in openings for timer in timers)
    if met or len(openings) == MOST_OPENINGS:
        return
    written, rates = ", ".join(timer.text for timer in timers), ", ".join(timer.text for timer in timers if timer.every)
    if rates:
        longest = max(end - begin for begin, end in openings) // _MINUTE * _MINUTE
        yield (
            f"the timers ({written}) may miss its windows, so that nothing would ever start: a window lets things start for "
            f"{spelled(longest)} at the longest, and the instant from which a rate ({rates}) counts is unknown"
        )
    else:
        yield (
            f"none of the timers ({written}) fires while a window lets anything start, so that nothing ever does, "
            "unless a run lasts until one opens"
        )


def _judged(timer: Timer, where: ZoneInfo | None) -> bool:
    return timer.readable and (timer.every is not None or (timer.zone or where) is not None)


def _region_zone(policy: Policy) -> ZoneInfo | None:
    """In which timers without CRON_TZ count (deploy.md 1.4); None: unknown."""
    region = policy.outlet.topic.region
    return _CHINA if region.startswith("cn-") else None
