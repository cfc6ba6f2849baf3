"""Notices about upgrades that have not ended: what is planned, what waits for an operator, what takes too long. Pure.

A notice has the same id in every run that finds the same, so that it is sent once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from ges_upgrader.domain.model import Attempt, Decision, Operation, Reason, Start
from ges_upgrader.domain.plain_text import MOST_DETAIL, MOST_NAME, MOST_REASON, plain
from ges_upgrader.domain.timestamps import FAR, iso
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import command
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import UNWRITTEN, AnyRecord, Noticed, Released, Withdrawn
from ges_upgrader.notifications.naming import MOST_NAMES, Work, argument_of, count_of, listed, name_of, names_of, rule_of
from ges_upgrader.notifications.sight import lifted_damage
from ges_upgrader.notifications.stalled import stalled
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
    return Noticed(
        at=now,
        notice_id=f"started:{attempt.id}",
        notice_kind="started",
        subject=f"GES started: {name_of(attempt)} {attempt.from_version} to {attempt.to_version}",
        text=f"The upgrade of {name_of(attempt)} from {attempt.from_version} to {attempt.to_version} was started"
        f"{' with force' if attempt.force else ''}. Another message reports its end.",
        rule=attempt.rule,
        version=attempt.to_version,
        graphs=(attempt.graph_id,),
    )


def unwritten(record: Released | Withdrawn) -> Noticed:
    """A release or withdrawal that the journal could not store, so that this function forgets it."""
    version = record.release.version if isinstance(record, Released) else record.version
    what = "released" if isinstance(record, Released) else "withdrawn"
    return Noticed(
        at=record.at,
        notice_id=f"{UNWRITTEN}{what}:{version}",
        notice_kind="unclear",  # sent whatever `on` says, as it is stored nowhere else
        subject=f"GES: the journal could not record that {version} was {what}",
        text=f"A message says that GES {version} was {what}, but the journal cannot be written. Nothing was started. "
        "The platform delivers the message again for some time. If the command status does not show the version once the "
        "journal can be written, send the message again, or name the version in the policy.",
        version=version,
    )


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
        yield Noticed(
            at=now,
            notice_id=f"damaged:{damage.id}",
            notice_kind="damaged",
            subject="GES: a record of the journal cannot be understood",
            text=told_of(damage),
        )


def journal_started(state: str, history: History, now: datetime) -> list[AnyRecord]:
    """There was no journal, and one was begun. If there had been one, everything in it is forgotten.

    Nothing, if a run that began it at the same time says so.
    """
    if any(notice_id.startswith("journal-started:") for notice_id in history.outbox.pending_ids()):
        return []
    notice = Noticed(
        at=now,
        notice_id=f"journal-started:{iso(now)}",
        notice_kind="journal-started",
        subject="GES upgrader: a new journal begins",
        text=f"No journal was found at {plain(state, MOST_NAME)}, so a new one was begun. If this is the first run with this "
        "state, nothing needs to be done. Otherwise releases, approvals, pauses and failures that were recorded before are "
        f"forgotten. To stop upgrades until you have looked: {command('pause')}. "
        "Then restore the journal's files, or repeat what must hold.",
    )
    return [notice]


def not_handed_over(work: Sequence[Work], why: str, advice: str, now: datetime) -> Noticed:
    """A run could not hand its work over. The same work has the same notice."""
    ids = sorted(one.id if isinstance(one, Operation) else f"{one.graph_id}:{_target(one)}" for one in work)
    graphs = {one.graph_id: name_of(one) for one in work}
    return Noticed(
        at=now,
        notice_id=f"not-handed-on:{sha256(','.join(ids).encode(errors='surrogatepass')).hexdigest()[:12]}",
        notice_kind="not-handed-over",
        subject="GES upgrader: a run could not hand its work over",
        text=f"A run had no time left for its work, and could not invoke the function again: {plain(why, MOST_REASON)}.\n"
        f"Nothing was changed by that: GES continues what is in progress, and the next timer continues with "
        f"{listed(sorted(graphs.values()))}. {advice}",
        graphs=tuple(graphs),
    )


def _target(one: Start | Decision) -> Version | None:
    return one.to_version if isinstance(one, Start) else one.target


def _planned(policy: Policy, history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for (rule, version), group in _groups(one for one in decisions if _to_be_announced(policy, history, one, now)):
        ids = tuple(decision.graph_id for decision in group)
        times, shown = tuple(decision.announce or now for decision in group), rule_of(rule)
        shown_first = sorted(zip(times, map(name_of, group)))[:MOST_NAMES]
        starts = [f"  {name}: not before {iso(start)}" for start, name in shown_first]
        more = [f"  and {len(group) - MOST_NAMES} more"] if len(group) > MOST_NAMES else []
        yield Noticed(
            at=now,
            notice_id=f"planned:{rule}:{version}:{_hash(group, *(iso(start) for start in times))}",
            notice_kind="planned",
            subject=f"GES planned: {count_of(group)} under {shown} to {version}",
            text=f"The upgrade of {count_of(group)} to {version} is planned under the rule {shown}. Nothing was changed yet.\n"
            f"To prevent it, invoke the function with\n  {command('pause', rule=rule)}\nor for every rule with\n"
            f"  {command('withdraw', version=version.text)}\nPlanned:\n" + "\n".join([*starts, *more]),
            rule=rule,
            version=version,
            graphs=ids,
            starts=times,
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
        if not group:
            continue
        yield Noticed(
            at=now,
            notice_id=f"{about}:{_hash(group)}",
            notice_kind="awaiting-approval",
            subject=f"GES waits for approval: {count_of(group)} under {rule_of(rule)} to {version}",
            text=f"Under the rule {rule_of(rule)}, the upgrade of {names_of(group)} to {version} waits for your approval"
            f"{', as the last approval has expired' if lapsed else ''}. To approve, invoke the function with\n"
            f"  {command('approve', version=version.text, rule=rule)}\n"
            f"or for one graph\n  {command('approve', version=version.text, graph=argument_of(group[0]))}",
            rule=rule,
            version=version,
            graphs=tuple(one.graph_id for one in group),
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
        if not group:
            continue
        yield Noticed(
            at=now,
            notice_id=f"{about}:{_hash(group)}",
            notice_kind="available",
            subject=f"GES {version} is available for {count_of(group)} under {rule_of(rule)}",
            text=f"{version} is available for {names_of(group)}. The mode of the rule {rule_of(rule)} is notify: "
            "nothing is started.",
            rule=rule,
            version=version,
            graphs=tuple(one.graph_id for one in group),
        )


def _too_many(policy: Policy, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for rule in policy.rules:
        group = [one for one in _because(decisions, Reason.TOO_MANY) if one.rule == rule.name]
        if group:
            shown = rule_of(rule.name)
            yield Noticed(
                at=now,
                notice_id=f"too-many:{rule.name}:{rule.max_graphs}:{len(group)}",
                notice_kind="too-many",
                subject=f"GES upgrades blocked: {shown} may govern too many graphs",
                text=f"The rule {shown} governs more graphs than its max_graphs of {rule.max_graphs}, or their number "
                "is unknown, as not all graphs were listed. Nothing is started under it. Look at the run's errors and the "
                f"rule's match, or raise max_graphs. Blocked: {names_of(group)}.",
                rule=rule.name,
                graphs=tuple(one.graph_id for one in group),
            )


def _halted(policy: Policy, history: History, decisions: list[Decision], complete: bool, now: datetime) -> Iterator[Noticed]:
    """Halts that no result reported: the policy allowed these failures when they happened, and no longer does."""
    sure = {rule.name for rule in policy.rules if complete or not rule.max_failures.relative}
    for (rule, version), group in _groups(one for one in _because(decisions, Reason.HALTED) if one.rule in sure):
        failures = history.attempts.failures(rule, version)
        if failures and not history.attempts.halt_reported(rule, version):
            yield Noticed(
                at=now,
                notice_id=f"halted:{rule}:{version}:{failures[-1].id}",
                notice_kind="halted",
                subject=f"GES upgrades halted: {version} under {rule_of(rule)}",
                text=f"The upgrade to {version} failed {len(failures)} times under the rule {rule_of(rule)}, as often as its "
                "max_failures now allows. No further upgrade to it is started under this rule and those after it. "
                f"Blocked: {names_of(group)}. The rule continues with a newer version, or after\n"
                f"  {command('retry', rule=rule)}",
                rule=rule,
                version=version,
                graphs=tuple(one.graph_id for one in group),
            )


def _blocked(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for decision in decisions:
        if decision.reason is Reason.BACKUP_FAILED and decision.key in history.backups.refusals:
            failed = history.backups.refusals[decision.key]
            kind, what, why = "backup-failed", "the backup before its upgrade failed", failed.detail
            notice_id = f"backup-failed:{decision.graph_id}:{failed.version}:{iso(failed.since)}"
        elif decision.reason is Reason.REFUSED and decision.key in history.attempts.refusals:
            refusal = history.attempts.refusals[decision.key]
            if not needs_person(refusal):
                continue
            kind, what, why = "refused", f"GES refuses its upgrade to {refusal.version}", refusal.detail
            notice_id = f"refused:{decision.graph_id}:{refusal.version}:{refusal.code}:{iso(refusal.since)}"
        else:
            continue
        yield Noticed(
            at=now,
            notice_id=notice_id,
            notice_kind=kind,
            subject=f"GES upgrade blocked: {name_of(decision)} to {decision.target}",
            text=f"{name_of(decision)}: {what}: {plain(why, MOST_DETAIL // 2)}.\n"
            "Nothing was changed. The function tries again later, or at once after\n"
            f"  {command('retry', graph=argument_of(decision))}",
            rule=decision.rule,
            version=decision.target,
            graphs=(decision.graph_id,),
        )


def _overrun(history: History, now: datetime) -> Iterator[Noticed]:
    for attempt in history.attempts.open():
        if now > (attempt.closes or FAR):
            yield Noticed(
                at=now,
                notice_id=f"overrun:{attempt.id}",
                notice_kind="overrun",
                subject=f"GES overrun: {name_of(attempt)} is still being upgraded",
                text=f"The upgrade of {name_of(attempt)} to {attempt.to_version} runs past the end of its window, "
                f"{iso(attempt.closes or now)}. GES cannot cancel it. Another message reports its end.",
                rule=attempt.rule,
                version=attempt.to_version,
                graphs=(attempt.graph_id,),
            )


def _slow_backups(policy: Policy, history: History, now: datetime) -> Iterator[Noticed]:
    timeouts = {rule.name: rule.job_timeout for rule in policy.rules}
    for backup in history.backups.open():
        if now - backup.began_at > timeouts.get(backup.rule, DEFAULT_JOB_TIMEOUT):
            yield Noticed(
                at=now,
                notice_id=f"slow-backup:{backup.id}",
                notice_kind="backup-slow",
                subject=f"GES upgrade blocked: the backup of {name_of(backup)} takes too long",
                text=f"The backup of {name_of(backup)} before its upgrade to {backup.to_version} has been in progress since "
                f"{iso(backup.began_at)}, longer than the job_timeout of the rule {rule_of(backup.rule)}. The upgrade waits "
                "for it; nothing was changed. Look at the backup in the console.",
                rule=backup.rule,
                version=backup.to_version,
                graphs=(backup.graph_id,),
            )


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
