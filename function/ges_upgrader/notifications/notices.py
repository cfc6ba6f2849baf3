"""What is to be told although nothing has ended: what is planned, what waits for a person, what takes too long. Pure.

Each notice has an id that is the same in every run that finds the same, so that it is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from ges_upgrader.domain.model import Attempt, Decision, Operation, Reason, Start
from ges_upgrader.domain.timestamps import FAR, iso
from ges_upgrader.domain.version import Version
from ges_upgrader.events.commands import command
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.records import UNWRITTEN, Noticed, Released, Withdrawn
from ges_upgrader.planning.gates import needs_person
from ges_upgrader.planning.verdicts import DEFAULT_JOB_TIMEOUT
from ges_upgrader.policy.schema import Policy

MOST_NAMES = 20


def notices(policy: Policy, history: History, decisions: Iterable[Decision], complete: bool, now: datetime) -> list[Noticed]:
    """Everything that is so now and was not told yet. Not `complete`: the fleet was not seen as a whole."""
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
    ]
    return [notice for notice in found if not history.outbox.knows(notice.notice_id)]


def started(attempt: Attempt, now: datetime) -> Noticed:
    return Noticed(
        at=now,
        notice_id=f"started:{attempt.id}",
        notice_kind="started",
        subject=f"GES started: {attempt.graph} {attempt.from_version} to {attempt.to_version}",
        text=f"The upgrade of {attempt.graph} from {attempt.from_version} to {attempt.to_version} was started"
        f"{' with force' if attempt.force else ''}. Its end will be told.",
        rule=attempt.rule,
        version=attempt.to_version,
        graphs=(attempt.graph_id,),
    )


def unwritten(record: Released | Withdrawn) -> Noticed:
    """That a release was heard of while the journal could not be written, and will be forgotten."""
    version = record.release.version if isinstance(record, Released) else record.version
    what = "released" if isinstance(record, Released) else "withdrawn"
    return Noticed(
        at=record.at,
        notice_id=f"{UNWRITTEN}{what}:{version}",
        notice_kind="unclear",  # told whatever `on` says, as it is known nowhere else
        subject=f"GES: that {version} was {what} could not be written down",
        text=f"GES {version} was {what}, as a message says, but the journal cannot be written. Nothing was started. "
        "When it can be written again, send the message once more, or name the version in the policy.",
        version=version,
    )


def told_of(damage: Damage) -> str:
    """A damage in words, with what it holds and what to do."""
    rule = f"under the rule {damage.rule}, or at all where it is gone from the policy," if damage.rule else "at all"
    held = f"to graph {damage.graph_id}" if damage.graph_id else rule
    scope = {"graph": damage.graph_id} if damage.graph_id else {"rule": damage.rule} if damage.rule else {}
    resume = command("resume", **{name: value for name, value in scope.items() if value})
    return (
        f"{damage.where} cannot be understood: {damage.why}; nothing is started {held} until somebody has looked at it and "
        f"said {resume}; what runs is followed"
    )


def _damaged(history: History, now: datetime) -> Iterator[Noticed]:
    for damage in history.controls.damages.values():
        yield Noticed(
            at=now,
            notice_id=f"damaged:{damage.id}",
            subject="GES: a record of the journal cannot be understood",
            text=told_of(damage),
        )


def not_handed_over(work: Sequence[Operation | Start | Decision], why: str, advice: str, now: datetime) -> Noticed:
    """That a run could not hand its work on. The same work has the same notice."""
    ids = sorted(one.id if isinstance(one, Operation) else f"{one.graph_id}:{_target(one)}" for one in work)
    graphs = {one.graph_id: one.graph for one in work}
    return Noticed(
        at=now,
        notice_id=f"not-handed-on:{sha256(','.join(ids).encode()).hexdigest()[:12]}",
        subject="GES upgrader: a run could not hand its work on",
        text=f"The time of a run was over before its work was, and it could not invoke the function again: {why}.\n"
        f"Nothing was changed by that: what is on its way goes on in GES, and the next timer goes on with "
        f"{_listed(sorted(graphs.values()))}. {advice}",
        graphs=tuple(graphs),
    )


def _target(one: Start | Decision) -> Version | None:
    return one.to_version if isinstance(one, Start) else one.target


def _planned(policy: Policy, history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    noticed = {rule.name for rule in policy.rules if rule.notice or "planned" in policy.outlet.on}
    planned = [decision for decision in decisions if decision.announce and decision.target and decision.rule in noticed]
    for (rule, version), group in _groups(planned):
        ids = tuple(decision.graph_id for decision in group)
        times = tuple(decision.announce or now for decision in group)
        starts = [f"{decision.graph}: not before {iso(decision.announce or now)}" for decision in group]
        yield Noticed(
            at=now,
            notice_id=f"planned:{rule}:{version}:{_hash(group, *(iso(start) for start in times))}",
            notice_kind="planned",
            subject=f"GES planned: {_count(group)} under {rule} to {version}",
            text=f"Planned under the rule {rule}: the upgrade to {version} of\n"
            + "\n".join(f"  {line}" for line in starts)
            + f"\nTo stop it: {command('pause', rule=rule)} or {command('withdraw', version=version.text)}",
            rule=rule,
            version=version,
            graphs=ids,
            starts=times,
        )


def _awaiting(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for (rule, version), waiting in _groups(_because(decisions, Reason.AWAITING_APPROVAL)):
        lapsed = max(filter(None, (history.controls.approved_at(version, rule, one.graph_id) for one in waiting)), default=None)
        about = f"approval:{rule}:{version}" + (f":{iso(lapsed)}" if lapsed else "")
        group = _unnamed(history, about, waiting)
        if not group:
            continue
        yield Noticed(
            at=now,
            notice_id=f"{about}:{_hash(group)}",
            subject=f"GES waits for approval: {_count(group)} under {rule} to {version}",
            text=f"Under the rule {rule}, {_names(group)} would be upgraded to {version} and "
            f"{'wait' if len(group) > 1 else 'waits'} for your approval"
            f"{', as the last one has lapsed' if lapsed else ''}. To approve, invoke the function with\n"
            f"  {command('approve', version=version.text, rule=rule)}\n"
            f"or for one graph\n  {command('approve', version=version.text, graph=group[0].graph)}",
            rule=rule,
            version=version,
            graphs=tuple(one.graph_id for one in group),
        )


def _available(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for (rule, version), there in _groups(_because(decisions, Reason.NOTIFY_ONLY)):
        about = f"available:{rule}:{version}"
        group = _unnamed(history, about, there)
        if not group:
            continue
        yield Noticed(
            at=now,
            notice_id=f"{about}:{_hash(group)}",
            subject=f"GES {version} is there for {_count(group)} under {rule}",
            text=f"{version} is there for {_names(group)}. The mode of the rule {rule} is notify: nothing is started.",
            rule=rule,
            version=version,
            graphs=tuple(one.graph_id for one in group),
        )


def _too_many(policy: Policy, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for rule in policy.rules:
        group = [one for one in _because(decisions, Reason.TOO_MANY) if one.rule == rule.name]
        if group:
            yield Noticed(
                at=now,
                notice_id=f"too-many:{rule.name}:{rule.max_graphs}:{len(group)}",
                subject=f"GES upgrades blocked: {rule.name} may govern too many graphs",
                text=f"The rule {rule.name} governs more graphs than its max_graphs of {rule.max_graphs}, or nobody can tell, "
                "as not all graphs were listed; nothing is started under it. Look at the run's errors and the rule's match, or "
                f"raise max_graphs. Held: {_names(group)}.",
                rule=rule.name,
                graphs=tuple(one.graph_id for one in group),
            )


def _halted(policy: Policy, history: History, decisions: list[Decision], complete: bool, now: datetime) -> Iterator[Noticed]:
    """Halts that no result told: failures that were borne when they happened, and are no more."""
    sure = {rule.name for rule in policy.rules if complete or not rule.max_failures.relative}
    for (rule, version), group in _groups(one for one in _because(decisions, Reason.HALTED) if one.rule in sure):
        failures = history.attempts.failures(rule, version)
        if failures and not history.attempts.halt_reported(rule, version):
            yield Noticed(
                at=now,
                notice_id=f"halted:{rule}:{version}:{failures[-1].id}",
                subject=f"GES upgrades halted: {version} under {rule}",
                text=f"The upgrade to {version} went wrong {len(failures)} times under the rule {rule}, which is as often as "
                f"its max_failures now bears: nothing more is started to it under this rule and those after it. "
                f"Held: {_names(group)}. It goes on with a newer version, or after\n  {command('resume', rule=rule)}",
                rule=rule,
                version=version,
                graphs=tuple(one.graph_id for one in group),
            )


def _blocked(history: History, decisions: list[Decision], now: datetime) -> Iterator[Noticed]:
    for decision in decisions:
        if decision.reason is Reason.BACKUP_FAILED and decision.key in history.backups.refusals:
            failed = history.backups.refusals[decision.key]
            what, why = "the backup that must come first could not be made", failed.detail
            notice_id = f"backup-failed:{decision.graph_id}:{failed.version}:{iso(failed.since)}"
        elif decision.reason is Reason.REFUSED and decision.key in history.attempts.refusals:
            refusal = history.attempts.refusals[decision.key]
            if not needs_person(refusal):
                continue
            what, why = f"GES refuses its upgrade to {refusal.version}", refusal.detail
            notice_id = f"refused:{decision.graph_id}:{refusal.version}:{refusal.code}:{iso(refusal.since)}"
        else:
            continue
        yield Noticed(
            at=now,
            notice_id=notice_id,
            subject=f"GES upgrade blocked: {decision.graph} to {decision.target}",
            text=f"{decision.graph}: {what}: {why}. Nothing was changed; it is tried again later, or at once after\n"
            f"  {command('retry', graph=decision.graph)}",
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
                subject=f"GES overrun: {attempt.graph} is still being upgraded",
                text=f"The upgrade of {attempt.graph} to {attempt.to_version} runs past the end of its window, "
                f"{iso(attempt.closes or now)}. GES cannot cancel it; its end will be told.",
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
                subject=f"GES upgrade blocked: the backup of {backup.graph} takes long",
                text=f"The backup of {backup.graph} that must come before its upgrade to {backup.to_version} has been on its "
                f"way since {iso(backup.began_at)}, longer than the job_timeout of the rule {backup.rule}. Look at it in the "
                "console. The upgrade waits for it; nothing was changed.",
                rule=backup.rule,
                version=backup.to_version,
                graphs=(backup.graph_id,),
            )


def _unnamed(history: History, about: str, group: list[Decision]) -> list[Decision]:
    """Those of a group that no notice about the same has named yet."""
    named = history.outbox.named(about)
    return [one for one in group if one.graph_id not in named]


def _hash(group: list[Decision], *more: str) -> str:
    return sha256(",".join([*(one.graph_id for one in group), *more]).encode()).hexdigest()[:12]


def _because(decisions: list[Decision], reason: Reason) -> list[Decision]:
    return [decision for decision in decisions if decision.reason is reason]


def _groups(decisions: Iterable[Decision]) -> list[tuple[tuple[str, Version], list[Decision]]]:
    groups: dict[tuple[str, Version], list[Decision]] = {}
    for decision in decisions:
        if decision.rule is not None and decision.target is not None:
            groups.setdefault((decision.rule, decision.target), []).append(decision)
    return list(groups.items())


def _names(group: list[Decision]) -> str:
    return _listed([decision.graph for decision in group])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _count(group: list[Decision]) -> str:
    return f"{len(group)} graphs" if len(group) > 1 else group[0].graph
