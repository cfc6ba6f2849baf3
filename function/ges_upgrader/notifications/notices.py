"""Notices about upgrades that have not ended: what is planned, what waits for an operator, what takes too long. Pure.

A notice has the same id in every run that finds the same, so that it is sent once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from ges_upgrader.domain.model import Attempt, Decision, Operation, Reason, Start
from ges_upgrader.domain.plain_text import MOST_DETAIL, MOST_NAME, MOST_REASON, plain
from ges_upgrader.domain.timestamps import FAR, iso
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import command
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import UNWRITTEN, AnyRecord, Noticed, Released, Withdrawn
from ges_upgrader.notifications.channels import in_lines
from ges_upgrader.notifications.naming import MOST_NAMES, Work, argument_of, count_of, listed, name_of, names_of, rule_of
from ges_upgrader.notifications.sight import lifted_damage
from ges_upgrader.notifications.stalled import stalled
from ges_upgrader.notifications.texts import noticed
from ges_upgrader.planning.gates import needs_person
from ges_upgrader.planning.verdicts import DEFAULT_JOB_TIMEOUT
from ges_upgrader.policy.schema import Policy


def notices(policy: Policy, history: History, decisions: Iterable[Decision], complete: bool, now: datetime) -> list[Noticed]:
    """The notices that are due and were not recorded yet. Not `complete`: the fleet was not seen as a whole."""
    decided = list(decisions)
    found = [
        *_planned(policy, history, decided, now),
        *_awaiting(history, decided, now),
        *_available(history, decided, now),
        *_too_many(policy, decided, now),
        *_halted(policy, history, decided, complete, now),
        *_blocked(history, decided, now),
        *_overrun(history, now),
        *_slow_backups(policy, history, now),
        *_damaged(history, now),
        *lifted_damage(history, now),
        *stalled(policy, history, decided, now),
    ]
    return [notice for notice in found if not history.outbox.knows(notice.notice_id)]


def started(attempt: Attempt, now: datetime) -> Noticed:
    return noticed(
        "started",
        f"started:{attempt.id}",
        now,
        rule=attempt.rule,
        version=attempt.to_version,
        graphs=(attempt.graph_id,),
        graph=name_of(attempt),
        from_version=attempt.from_version,
        force=" with force" if attempt.force else "",
    )


def unwritten(record: Released | Withdrawn) -> Noticed:
    """A release or withdrawal that the journal could not store, so that this function forgets it.

    It is of the kind `unclear`, which is always sent, as it is stored nowhere else.
    """
    version = record.release.version if isinstance(record, Released) else record.version
    what = "released" if isinstance(record, Released) else "withdrawn"
    return noticed("unclear:unwritten", f"{UNWRITTEN}{what}:{version}", record.at, version=version, what=what)


def told_of(damage: Damage) -> str:
    """A damaged record in words: what it blocks, and what to do."""
    if damage.graph_id:
        where, resume = f"for the graph {plain(damage.graph_id, MOST_NAME)}", command("resume", graph=damage.graph_id)
    elif damage.rule:
        where = f"under the rule {rule_of(damage.rule)}, or at all if the policy has no such rule,"
        resume = command("resume", rule=damage.rule)
    else:
        where, resume = "at all", command("resume")
    return (
        f"{damage.where} cannot be understood: {plain(damage.why, MOST_REASON)}; nothing is started {where} until an operator "
        f"looks at it and runs {resume}; running upgrades are followed"
    )


def _damaged(history: History, now: datetime) -> Iterator[Noticed]:
    for damage in history.controls.damages.values():
        yield noticed("damaged", f"damaged:{damage.id}", now, what=told_of(damage))


def journal_started(state: str, history: History, now: datetime) -> list[AnyRecord]:
    """There was no journal, and one was begun. If there had been one, everything in it is forgotten.

    Nothing, if a run that began it at the same time says so.
    """
    if any(notice_id.startswith("journal-started:") for notice_id in history.outbox.pending_ids()):
        return []
    shown = plain(state, MOST_NAME)
    return [noticed("journal-started", f"journal-started:{iso(now)}", now, state=shown, pause=command("pause"))]


def not_handed_over(work: Sequence[Work], why: str, advice: str, now: datetime) -> Noticed:
    """A run could not hand its work over. The same work has the same notice."""
    ids = sorted(one.id if isinstance(one, Operation) else f"{one.graph_id}:{_target(one)}" for one in work)
    graphs = {one.graph_id: name_of(one) for one in work}
    return noticed(
        "not-handed-over",
        f"not-handed-on:{sha256(','.join(ids).encode(errors='surrogatepass')).hexdigest()[:12]}",
        now,
        graphs=tuple(graphs),
        why=plain(why, MOST_REASON),
        names=listed(sorted(graphs.values())),
        advice=advice,
    )


def _target(one: Start | Decision) -> Version | None:
    return one.to_version if isinstance(one, Start) else one.target


def _planned(policy: Policy, history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for (rule, version), group in _groups(one for one in decisions if _to_be_announced(policy, history, one, now)):
        times = tuple(decision.announce or now for decision in group)
        first = sorted(zip(times, map(name_of, group)))[:MOST_NAMES]
        yield noticed(
            "planned",
            f"planned:{rule}:{version}:{_hash(group, *(iso(start) for start in times))}",
            now,
            rule=rule,
            version=version,
            graphs=_ids(group),
            starts=times,
            count=count_of(group),
            pause=command("pause", rule=rule),
            withdraw=command("withdraw", version=version.text),
            starting=in_lines([f"{name}: not before {iso(start)}" for start, name in first], len(group) - len(first)),
        )


def _to_be_announced(policy: Policy, history: History, decision: Decision, now: datetime) -> bool:
    """Whether the start is news. One that was announced for later is news under every policy, also if it is due already."""
    if decision.target is None:
        return False
    if decision.reason is Reason.DUE:
        return history.outbox.comes_early(decision.graph_id, decision.target, now)
    noticed = {rule.name for rule in policy.rules if rule.notice or "planned" in policy.outlet.on}
    announced = history.outbox.promise(decision.graph_id, decision.target) is not None
    return decision.announce is not None and (announced or decision.rule in noticed)


def _awaiting(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for (rule, version, lapsed), waiting in _waiting(history, decisions).items():
        about = f"approval:{rule}:{version}" + (f":{iso(lapsed)}" if lapsed else "")
        group = _unnamed(history, about, waiting)
        if group:
            yield noticed(
                "awaiting-approval",
                f"{about}:{_hash(group)}",
                now,
                rule=rule,
                version=version,
                graphs=_ids(group),
                count=count_of(group),
                expired=", as the last approval has expired" if lapsed else "",
                approve_rule=command("approve", version=version.text, rule=rule),
                approve_graph=command("approve", version=version.text, graph=argument_of(group[0])),
                names=names_of(group),
            )


def _waiting(history: History, decisions: list[Decision]) -> dict[tuple[str, Version, datetime | None], list[Decision]]:
    """Who waits for an approval, by rule, version and when the last approval was given, if there was one.

    Those that were never approved are apart, so that the end of one graph's approval is no news about them.
    """
    found: dict[tuple[str, Version, datetime | None], list[Decision]] = {}
    for (rule, version), group in _groups(_because(decisions, Reason.AWAITING_APPROVAL)):
        for one in group:
            lapsed = history.controls.approved_at(version, rule, one.graph_id)
            found.setdefault((rule, version, lapsed), []).append(one)
    return found


def _available(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for (rule, version), there in _groups(_because(decisions, Reason.NOTIFY_ONLY)):
        about = f"available:{rule}:{version}"
        group = _unnamed(history, about, there)
        if group:
            yield noticed(
                "available",
                f"{about}:{_hash(group)}",
                now,
                rule=rule,
                version=version,
                graphs=_ids(group),
                count=count_of(group),
                names=names_of(group),
            )


def _too_many(policy: Policy, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for rule in policy.rules:
        group = [one for one in _because(decisions, Reason.TOO_MANY) if one.rule == rule.name]
        if group:
            notice_id = f"too-many:{rule.name}:{rule.max_graphs}:{len(group)}"
            names = names_of(group)
            yield noticed("too-many", notice_id, now, rule=rule.name, graphs=_ids(group), most=rule.max_graphs, names=names)


def _halted(policy: Policy, history: History, decisions: list[Decision], complete: bool, now: datetime) -> Iterator[Noticed]:
    """Halts that no result reported: the policy allowed these failures when they happened, and no longer does."""
    sure = {rule.name for rule in policy.rules if complete or not rule.max_failures.relative}
    for (rule, version), group in _groups(one for one in _because(decisions, Reason.HALTED) if one.rule in sure):
        failures = history.attempts.failures(rule, version)
        if failures and not history.attempts.halt_reported(rule, version):
            yield noticed(
                "halted",
                f"halted:{rule}:{version}:{failures[-1].id}",
                now,
                rule=rule,
                version=version,
                graphs=_ids(group),
                times=f"{len(failures)} times" if len(failures) > 1 else "once",
                retry=command("retry", rule=rule),
                names=names_of(group),
            )


def _blocked(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    """One graph that GES refuses to upgrade or to back up, until an operator acts."""
    for one in decisions:
        refusal = None
        if one.reason is Reason.BACKUP_FAILED:
            kind, refusal = "backup-failed", history.backups.refusals.get(one.key)
        elif one.reason is Reason.REFUSED:
            kind, refusal = "refused", history.attempts.refusals.get(one.key)
            refusal = refusal if refusal is not None and needs_person(refusal) else None
        elif one.reason is Reason.UNHEALTHY_BEFORE:
            kind, refusal = "unhealthy-before", history.attempts.refusals.get(one.key)
        if refusal is None:
            continue
        code = f"{refusal.code}:" if kind == "refused" else ""
        yield noticed(
            kind,
            f"{kind}:{one.graph_id}:{refusal.version}:{code}{iso(refusal.since)}",
            now,
            rule=one.rule,
            version=one.target,
            graphs=(one.graph_id,),
            graph=name_of(one),
            why=plain(refusal.detail, MOST_DETAIL // 2),
            retry=command("retry", graph=argument_of(one)),
        )


def _overrun(history: History, now: datetime) -> Iterator[Noticed]:
    for attempt in history.attempts.open():
        if now > (attempt.closes or FAR):
            yield noticed("overrun", f"overrun:{attempt.id}", now, **_of(attempt), closes=iso(attempt.closes or now))


def _slow_backups(policy: Policy, history: History, now: datetime) -> Iterator[Noticed]:
    timeouts = {rule.name: rule.job_timeout for rule in policy.rules}
    for backup in history.backups.open():
        if now - backup.began_at > timeouts.get(backup.rule, DEFAULT_JOB_TIMEOUT):
            yield noticed("backup-slow", f"slow-backup:{backup.id}", now, **_of(backup), began=iso(backup.began_at))


def _of(one: Operation) -> dict[str, Any]:
    """What a notice about one operation has."""
    return {"rule": one.rule, "version": one.to_version, "graphs": (one.graph_id,), "graph": name_of(one)}


def _ids(group: Iterable[Decision]) -> tuple[str, ...]:
    return tuple(one.graph_id for one in group)


def _unnamed(history: History, about: str, group: list[Decision]) -> list[Decision]:
    """Those of the group that no notice about the same has named."""
    named = history.outbox.named(about)
    return [one for one in group if one.graph_id not in named]


def _hash(group: list[Decision], *more: str) -> str:
    return sha256(",".join([*(one.graph_id for one in group), *more]).encode(errors="surrogatepass")).hexdigest()[:12]


def _because(decisions: list[Decision], reason: Reason) -> list[Decision]:
    return [decision for decision in decisions if decision.reason is reason]


def _groups(decisions: Iterable[Decision]) -> list[tuple[tuple[str, Version], list[Decision]]]:
    groups: dict[tuple[str, Version], list[Decision]] = {}
    for decision in decisions:
        if decision.rule is not None and decision.target is not None:
            groups.setdefault((decision.rule, decision.target), []).append(decision)
    return list(groups.items())
