"""Notices that a rollout has stalled: graphs wait for other rules, or for a place, and nothing moves. Pure.

A rule that others wait for, and that time alone will move, has not stalled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ges_upgrader.domain.model import Action, Attempt, Decision, Reason
from ges_upgrader.domain.timestamps import LONG_AGO, iso
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import command
from ges_upgrader.history.history import History
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.naming import count_of, name_of, names_of
from ges_upgrader.notifications.texts import noticed
from ges_upgrader.policy.schema import Policy

STALLED_AFTER, AGAIN_AFTER = timedelta(days=7), timedelta(days=30)
MOST_BLOCKERS = 20  # named in a message

_MOVES = (Action.UPGRADE, Action.BACKUP)
_WAITS = (Reason.AFTER_RULE, Reason.MAX_CONCURRENT)


def stalled(policy: Policy, history: History, decisions: Sequence[Decision], now: datetime) -> Iterator[Noticed]:
    groups: dict[tuple[str, Version], list[Decision]] = {}
    for one in decisions:
        if one.reason in _WAITS and one.rule is not None and one.target is not None:
            groups.setdefault((one.rule, one.target), []).append(one)
    for (rule, version), group in groups.items():
        involved = _involved(policy, rule, group)
        others = [one for one in decisions if one.rule in involved]
        if any(one.action in _MOVES or one.until is not None for one in others):
            continue
        since = _last_move(history, involved, version)
        about = f"stalled:{rule}:{version}"
        last = history.outbox.last_noticed(about)
        due = since + STALLED_AFTER if last is None or last < since else last + AGAIN_AFTER
        if now >= due:
            yield _notice(about, rule, version, group, _blockers(others, version), since, now)


def _involved(policy: Policy, rule: str, group: Sequence[Decision]) -> set[str]:
    """The rule, and those in which something must move before it can."""
    after = {one.name: one.after for one in policy.rules}
    involved: set[str] = set()
    pending = [rule]
    if policy.max_concurrent is not None and any(one.reason is Reason.MAX_CONCURRENT for one in group):
        pending = list(after)
    while pending:
        name = pending.pop()
        if name not in involved:
            involved.add(name)
            pending += after.get(name, ())
    return involved


def _last_move(history: History, rules: set[str], version: Version) -> datetime:
    """When something last began or ended under these rules on the way to the version, or the release became known.

    Only what is remembered as long as it matters counts, so that a journal that forgets the rest gives the same answer.
    """
    moves = [one.ended_at or one.began_at for rule in rules for one in history.attempts.failures(rule, version)]
    moves += [one.began_at for one in history.attempts.open() if one.rule in rules]
    moves += [one.ended_at or one.began_at for one in _upgrades(history, version) if one.rule in rules]
    return max([*moves, history.releases.first_seen(version) or LONG_AGO])


def _upgrades(history: History, version: Version) -> Iterator[Attempt]:
    for one in history.attempts.by_id.values():
        if one.verdict is not None and one.verdict.upgraded and one.to_version == version:
            yield one


def _blockers(others: Sequence[Decision], version: Version) -> list[Decision]:
    """The graphs that do not run the version, and do not wait for others themselves."""
    behind = (one for one in others if one.from_version is None or one.from_version < version)
    return [one for one in behind if one.reason not in _WAITS]


def _notice(
    about: str, rule: str, version: Version, group: list[Decision], blockers: list[Decision], since: datetime, now: datetime
) -> Noticed:
    shown = [f"  {name_of(one)}: {one.reason.value}" for one in blockers[:MOST_BLOCKERS]]
    more = [f"  and {len(blockers) - MOST_BLOCKERS} more"] if len(blockers) > MOST_BLOCKERS else []
    return noticed(
        "stalled",
        f"{about}:{now:%Y-%m-%d}",
        now,
        rule=rule,
        version=version,
        graphs=tuple(one.graph_id for one in group),
        count=count_of(group),
        since=iso(since),
        plan=command("plan"),
        blockers="\n".join(["What others wait for:", *shown, *more] if shown else ["Nothing in sight explains it."]),
        names=names_of(group),
    )
