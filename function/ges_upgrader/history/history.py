"""What the journal's records add up to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import msgspec

from ges_upgrader.domain.model import Attempt, BackupAttempt, Release, Verdict
from ges_upgrader.domain.release_merge import narrowed
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackedUp,
    BackupEnded,
    BackupIntended,
    BackupStarted,
    Claimed,
    Ended,
    FellBehind,
    Intended,
    Moved,
    Noticed,
    Paused,
    Refused,
    Released,
    Resumed,
    Started,
    Told,
    Verified,
    Withdrawn,
)

OF_ANOTHER_WINDOW = timedelta(hours=12)  # longer than any pause between tries in one window


class Refusal(msgspec.Struct, frozen=True):
    """The last of the refusals, since `since`, of one graph's upgrade to one version; or of the failures of its backup.

    `times` are those in a row, without a window's time between them.
    """

    version: Version
    code: str
    detail: str
    at: datetime
    since: datetime
    times: int


class Event(msgspec.Struct, frozen=True):
    """Something to tell: `id` is the same on every repeat of it. It is about an attempt that ended, or a notice."""

    id: str
    at: datetime
    attempt: Attempt | None = None
    verdict: Verdict | None = None
    detail: str | None = None
    halts: bool = False
    job_ended_at: datetime | None = None
    notice: Noticed | None = None


class Damage(msgspec.Struct, frozen=True):
    """A record that cannot be understood: damaged, half-written, or of a later version of the function.

    `where` names it, `why` says what is wrong. Only a whole record can say what it is about: `graph_id`, or `rule`; where it
    does not, it is about everything. `subject` is the attempt or the backup that it begins, where it says that.
    """

    id: str
    where: str
    why: str
    graph_id: str | None = None
    rule: str | None = None
    subject: str | None = None


class History:
    """The journal's records, added up. Only `apply` changes it. Not `readable`: what is missing here is not known.

    `planned` holds for each graph and version when its start was told beforehand; None: it is still in the outbox.
    `made_backups` are GES's ids of the backups that were made here, `backup_jobs` of their jobs; `durations` are how long
    successful upgrades took.
    """

    def __init__(self, records: Iterable[AnyRecord] = (), readable: bool = True) -> None:
        self.readable = readable
        self.releases: dict[Version, tuple[Release, datetime]] = {}
        self.withdrawn: set[Version] = set()
        self.attempts: dict[str, Attempt] = {}
        self.refusals: dict[str, Refusal] = {}
        self.pauses: dict[tuple[str | None, str | None], Paused] = {}
        self.verified: dict[str, list[Verified]] = {}
        self.planned: dict[tuple[str, Version], datetime | None] = {}
        self.backups: dict[str, datetime] = {}
        self.backup_refusals: dict[str, Refusal] = {}
        self.made_backups: dict[str, list[str]] = {}
        self.backup_jobs: set[str] = set()
        self.durations: list[timedelta] = []
        self._approvals: dict[tuple[Version, str | None, str | None], datetime] = {}
        self._open: dict[str, Attempt] = {}
        self._open_backups: dict[str, BackupAttempt] = {}
        self._ended: dict[str, list[Attempt]] = {}
        self._failures: dict[tuple[str, Version], dict[str, Attempt]] = {}
        self._halting: set[str] = set()
        self._untold: dict[str, Event] = {}
        self._told: set[str] = set()
        self._leases: dict[str, Claimed] = {}
        self._named: dict[str, set[str]] = {}
        self.damages: dict[str, Damage] = {}
        for record in records:
            self.apply(record)

    def open_attempts(self) -> list[Attempt]:
        return list(self._open.values())

    def open_attempt(self, graph_id: str) -> Attempt | None:
        return self._open.get(graph_id)

    def open_backups(self) -> list[BackupAttempt]:
        return list(self._open_backups.values())

    def open_backup(self, graph_id: str) -> BackupAttempt | None:
        return self._open_backups.get(graph_id)

    def ended(self, graph_id: str) -> list[Attempt]:
        """The graph's attempts that are over, in the order of their ends."""
        return self._ended.get(graph_id, [])

    def all_ended(self) -> list[list[Attempt]]:
        """What `ended` says of each graph."""
        return list(self._ended.values())

    def trouble(self, graph_id: str, version: Version) -> Attempt | None:
        """The graph's last attempt to the version, if it went wrong and nobody has said `retry` or `resume` since."""
        last = next((one for one in reversed(self.ended(graph_id)) if one.to_version == version), None)
        return last if last and last.id in self._failures.get((last.rule, last.to_version), {}) else None

    def failures(self, rule: str, version: Version) -> list[Attempt]:
        """Ended attempts of a rule at a version that did not succeed, since it was last resumed."""
        return list(self._failures.get((rule, version), {}).values())

    def failing(self) -> list[list[Attempt]]:
        """The failures that still count, by rule and version."""
        return [list(failures.values()) for failures in self._failures.values()]

    def failed(self) -> dict[tuple[str, Version], int]:
        """How many of them there are, for each rule and version that has any."""
        return {key: len(attempts) for key, attempts in self._failures.items() if attempts}

    def halt_told(self, rule: str, version: Version) -> bool:
        """Whether the last of them was told as the one that halts the rule."""
        return any(failure.id in self._halting for failure in self.failures(rule, version)[-1:])

    def learns_from(self, release: Release) -> bool:
        """Whether the announcement is the first of its version, or restricts it further."""
        known = self.releases.get(release.version)
        return known is None or narrowed(known[0], release) != known[0]

    def approved_at(self, version: Version, rule: str, graph_id: str) -> datetime | None:
        """When the version was last approved for the rule or the graph."""
        found = (self._approvals.get((version, rule, None)), self._approvals.get((version, None, graph_id)))
        return max(filter(None, found), default=None)

    def approvals(self) -> dict[tuple[Version, str | None, str | None], datetime]:
        """Every approval by version, rule and graph, with its time; the lapsed ones too."""
        return dict(self._approvals)

    def paused(self, rule: str, graph_id: str) -> Paused | None:
        """The widest pause that holds the graph."""
        keys: tuple[tuple[str | None, str | None], ...] = ((None, None), (rule, None), (None, graph_id))
        return next((self.pauses[key] for key in keys if key in self.pauses), None)

    def orphaned(self, rules: Collection[str]) -> list[Paused]:
        """The pauses of rules that are not among these."""
        return [pause for (rule, _), pause in self.pauses.items() if rule is not None and rule not in rules]

    def verified_at(self, rule: str, version: Version) -> datetime | None:
        """When every graph of the rule was first seen at the version or a later one."""
        return min((one.at for one in self.verified.get(rule, ()) if one.version >= version), default=None)

    def reached(self, rule: str) -> Version | None:
        """The latest version that the whole rule was verified at, and did not fall behind since."""
        return max((one.version for one in self.verified.get(rule, ())), default=None)

    def untold(self, now: datetime) -> list[Event]:
        """The events that may be told: not told yet, and not leased."""
        return [event for event in self._untold.values() if not self.leased(event.id, now)]

    def outbox(self) -> list[str]:
        """The ids of all events that were not told yet."""
        return list(self._untold)

    def untold_events(self) -> list[Event]:
        """All events that were not told yet."""
        return list(self._untold.values())

    def lease(self, event_id: str) -> Claimed | None:
        """The last lease of an event that was not told yet."""
        return self._leases.get(event_id)

    def leased(self, event_id: str, now: datetime) -> bool:
        lease = self._leases.get(event_id)
        return lease is not None and now < lease.until

    def told(self, event_id: str) -> bool:
        return event_id in self._told

    def knows(self, event_id: str) -> bool:
        return event_id in self._told or event_id in self._untold

    def named(self, about: str) -> set[str]:
        """The ids of the graphs that the notices with an id that begins so, and ends with one part more, are about."""
        return self._named.get(about, set())

    def damaged(self, rule: str, graph_id: str, rules: Collection[str]) -> Damage | None:
        """A damage of the journal in whose scope the graph is. That of a rule that is not among the `rules` is everything."""
        for one in self.damages.values():
            if one.graph_id in (None, graph_id) and (one.rule in (None, rule) or one.rule not in rules):
                return one
        return None

    def graph_of(self, subject: str) -> str | None:
        """The graph of an attempt or a backup, by its id; also of one whose beginning is damaged."""
        begun = self.attempts.get(subject) or next((one for one in self.open_backups() if one.id == subject), None)
        return (
            begun.graph_id if begun else next((one.graph_id for one in self.damages.values() if one.subject == subject), None)
        )

    def suffer(self, damage: Damage) -> None:
        """Takes note that a record could not be understood. `resume` lifts what it holds."""
        self.damages[damage.id] = damage

    def apply(self, record: AnyRecord) -> None:
        if isinstance(record, Told):  # most records come first
            self._tell(record)
        elif isinstance(record, Claimed):
            self._leases[record.event_id] = record
        elif isinstance(record, Noticed):
            self._notice(record)
        elif isinstance(record, Intended):
            self._open[record.attempt.graph_id] = record.attempt
            self._put(record.attempt)
        elif isinstance(record, Started):
            self._put(msgspec.structs.replace(self.attempts[record.attempt_id], job_id=record.job_id))
        elif isinstance(record, Refused):
            self._refuse(record)
        elif isinstance(record, Ended):
            self._end(record)
        elif isinstance(record, Moved):
            self._move(record)
        elif isinstance(record, BackupIntended):
            self._open_backups[record.backup.graph_id] = record.backup
        elif isinstance(record, BackupStarted):
            backup = self._backup(record.backup_id)
            self.backup_jobs.add(record.job_id)
            self._open_backups[backup.graph_id] = msgspec.structs.replace(backup, job_id=record.job_id)
        elif isinstance(record, BackupEnded):
            self._end_backup(record)
        elif isinstance(record, BackedUp):
            self.backups[record.graph_id] = max(record.made_at, self.backups.get(record.graph_id, record.made_at))
            self.backup_refusals.pop(record.graph_id, None)
        elif isinstance(record, Verified):
            self.verified.setdefault(record.rule, []).append(record)
        elif isinstance(record, FellBehind):
            self.verified[record.rule] = [one for one in self.verified.get(record.rule, ()) if one.version <= record.version]
        elif isinstance(record, Released):
            self._release(record)
        elif isinstance(record, Withdrawn):
            self.withdrawn.add(record.version)
        elif isinstance(record, Approved):
            self._approvals[record.version, record.rule, record.graph_id] = record.at
        elif isinstance(record, Paused):
            self.pauses.setdefault((record.rule, record.graph_id), record)
        elif isinstance(record, Resumed):
            self._resume(record)
        else:
            self._retry(record.graph_id)

    def _release(self, record: Released) -> None:
        version = record.release.version
        if version in self.releases:
            known, first_seen = self.releases[version]
            self.releases[version] = (narrowed(known, record.release), first_seen)
        else:
            self.releases[version] = (record.release, record.at)

    def _put(self, attempt: Attempt) -> None:
        """Another attempt of the graph that is open stays so: what is heard late of one says nothing about the next."""
        self.attempts[attempt.id] = attempt
        if self._is_open(attempt):
            if attempt.open:
                self._open[attempt.graph_id] = attempt
            else:
                del self._open[attempt.graph_id]

    def _is_open(self, attempt: Attempt) -> bool:
        known = self._open.get(attempt.graph_id)
        return known is not None and known.id == attempt.id

    def _refuse(self, record: Refused) -> None:
        attempt = self.attempts.pop(record.attempt_id)
        if self._is_open(attempt):
            del self._open[attempt.graph_id]
        self.refusals[attempt.graph_id] = _once_more(
            self.refusals.get(attempt.graph_id), attempt.to_version, record.code, record.detail, record.at
        )

    def _end(self, record: Ended) -> None:
        attempt = self.attempts[record.attempt_id]
        if not record.verdict.ends:
            attempt = msgspec.structs.replace(attempt, timed_out=True)
        elif attempt.open:
            attempt = msgspec.structs.replace(attempt, verdict=record.verdict, detail=record.detail, ended_at=record.at)
            self.refusals.pop(attempt.graph_id, None)
            self._ended.setdefault(attempt.graph_id, []).append(attempt)
            if record.verdict is Verdict.SUCCEEDED:
                self.durations += [record.job_ended_at - attempt.began_at] if record.job_ended_at else []
            else:
                self._failures.setdefault((attempt.rule, attempt.to_version), {})[attempt.id] = attempt
                self._halting |= {attempt.id} if record.halts else set()
        self._put(attempt)
        event_id = _event_id(attempt, record.verdict)
        if event_id not in self._told:
            job_ended_at = record.job_ended_at
            self._untold[event_id] = Event(
                event_id, record.at, attempt, record.verdict, record.detail, record.halts, job_ended_at
            )

    def _move(self, record: Moved) -> None:
        before = self.attempts[record.attempt_id]
        attempt = msgspec.structs.replace(before, rule=record.rule)
        ended = self._ended.get(attempt.graph_id, [])
        ended[:] = [attempt if one.id == attempt.id else one for one in ended]
        if self._failures.get((before.rule, before.to_version), {}).pop(before.id, None):
            self._failures.setdefault((attempt.rule, attempt.to_version), {})[attempt.id] = attempt
        for event in self.untold_events():
            if event.attempt and event.attempt.id == attempt.id:
                moved = msgspec.structs.replace(event.attempt, rule=record.rule)
                self._untold[event.id] = msgspec.structs.replace(event, attempt=moved)
        self._put(attempt)

    def _resume(self, record: Resumed) -> None:
        if record.version is None:
            for rule, graph_id in list(self.pauses):
                if record.rule in (None, rule) and record.graph_id in (None, graph_id):
                    del self.pauses[rule, graph_id]
            for damage in list(self.damages.values()):
                if record.rule in (None, damage.rule) and record.graph_id in (None, damage.graph_id):
                    del self.damages[damage.id]
        for (rule, version), failures in self._failures.items():
            if record.rule in (None, rule) and record.version in (None, version):
                for attempt in list(failures.values()):
                    if record.graph_id in (None, attempt.graph_id):
                        self._pardon(attempt)

    def _retry(self, graph_id: str) -> None:
        self.refusals.pop(graph_id, None)
        self.backup_refusals.pop(graph_id, None)
        for attempt in self.ended(graph_id):
            self._pardon(attempt)

    def _pardon(self, attempt: Attempt) -> None:
        """What went wrong no longer counts."""
        self._failures.get((attempt.rule, attempt.to_version), {}).pop(attempt.id, None)

    def _backup(self, backup_id: str) -> BackupAttempt:
        found = next((backup for backup in self._open_backups.values() if backup.id == backup_id), None)
        if found is None:
            raise KeyError(backup_id)
        return found

    def _end_backup(self, record: BackupEnded) -> None:
        backup = self._backup(record.backup_id)
        del self._open_backups[backup.graph_id]
        if record.made is not None:
            self.made_backups.setdefault(backup.graph_id, []).append(record.made)
        if record.detail is None:
            self.backups[backup.graph_id] = record.made_at or backup.began_at
            self.backup_refusals.pop(backup.graph_id, None)
        else:
            last = self.backup_refusals.get(backup.graph_id)
            self.backup_refusals[backup.graph_id] = _once_more(last, backup.to_version, record.code, record.detail, record.at)

    def _notice(self, record: Noticed) -> None:
        if self.knows(record.notice_id):
            return
        self._untold[record.notice_id] = Event(id=record.notice_id, at=record.at, notice=record)
        self._named.setdefault(record.notice_id.rpartition(":")[0], set()).update(record.graphs)
        if record.sort == "planned" and record.version is not None:
            for graph_id in record.graphs:
                self.planned.setdefault((graph_id, record.version), None)

    def _tell(self, record: Told) -> None:
        self._told.add(record.event_id)
        self._leases.pop(record.event_id, None)
        event = self._untold.pop(record.event_id, None)
        notice = event.notice if event else None
        if notice is not None and notice.sort == "planned" and notice.version is not None:
            for graph_id in notice.graphs:
                self.planned[graph_id, notice.version] = record.at


def event_ids(attempt: Attempt) -> set[str]:
    """The ids of all that may be told of an attempt, before and after its job was known."""
    names = {attempt.id, attempt.job_id or attempt.id}
    return {f"{name}:{verdict.value}" for name in names for verdict in Verdict}


def _event_id(attempt: Attempt, verdict: Verdict) -> str:
    return f"{attempt.job_id or attempt.id}:{verdict.value}"


def _once_more(last: Refusal | None, version: Version, code: str, detail: str, at: datetime) -> Refusal:
    if last is None or last.version != version:
        return Refusal(version, code, detail, at, since=at, times=1)
    return Refusal(version, code, detail, at, last.since, last.times + 1 if at - last.at < OF_ANOTHER_WINDOW else 1)
