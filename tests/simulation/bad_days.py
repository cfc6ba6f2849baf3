"""Faults of an earlier version, put back in: what only bad days show, and which check of the simulation notices.

Each needs what hard months or years have: edited policies, rollbacks by hand, short runs, odd answers, rare windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ges_upgrader.cloud import transport
from ges_upgrader.cloud.ges import client, pages
from ges_upgrader.domain.model import Release
from ges_upgrader.events import announcements
from ges_upgrader.events.meanings import Announced, Meaning, Unclear
from ges_upgrader.history.controls import Controls
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import Outbox
from ges_upgrader.history.records import AnyRecord, Retried, Unpaused
from ges_upgrader.history.set_aside import SetAside
from ges_upgrader.planning import releases, verdicts
from ges_upgrader.running import follow, instruct
from ges_upgrader.schedule import calendars

Broken = AbstractContextManager[None]


@contextmanager
def replaced(owner: Any, name: str, broken: Any) -> Iterator[None]:
    whole = getattr(owner, name)
    setattr(owner, name, broken)
    try:
        yield
    finally:
        setattr(owner, name, whole)


def talk_teaches() -> Broken:
    """A text that names a version announces it, whatever it says of it."""
    read = announcements.read_announcement

    def eager(message: str, subject: str, sent: datetime, named_topic: bool) -> Meaning:
        reading = read(message, subject, sent, named_topic)
        if isinstance(reading, Unclear) and reading.named:
            return Announced(tuple(Release(version) for version in reading.named))
        return reading

    return replaced(announcements, "read_announcement", eager)


def bounds_ignored() -> Broken:
    """A release counts in every region and for every graph."""
    return replaced(releases, "fits", lambda *_: True)


@contextmanager
def cutoffs_before_freezes_ignored() -> Iterator[None]:
    """An upgrade may start seconds before a freeze."""
    blocked_by = calendars.blocked_by
    with replaced(calendars, "blocked_by", lambda freezes, _, now: blocked_by(freezes, timedelta(), now)):
        yield


def rollbacks_undone() -> Broken:
    """What an operator rolled back is upgraded again."""
    return replaced(SetAside, "rolled_back", lambda *_: None)


def changing_lists_believed() -> Broken:
    """A list that changed between its pages counts as complete."""
    return replaced(client, "read_pages", lambda get: pages._read_once(get, 0))


def renamed_rules_forgive() -> Broken:
    """Failures stay with the name of a rule that was renamed."""
    return replaced(instruct, "moved", lambda *_: [])


def removed_pauses_end() -> Broken:
    """The pause of a rule that was removed ends with it."""
    return replaced(Controls, "orphaned", lambda *_: [])


def resume_forgives() -> Broken:
    """`resume` clears failures, too."""
    apply = History.apply

    def forgiving(self: History, record: AnyRecord) -> None:
        apply(self, record)
        if isinstance(record, Unpaused):
            apply(self, Retried(at=record.at, rule=record.rule, graph_id=record.graph_id))

    return replaced(History, "apply", forgiving)


def faulty_graphs_awaited() -> Broken:
    """After a job that succeeded, a graph that does not run is waited for without end."""
    judge = verdicts.judge

    def patient(attempt: Any, graph: Any, job: Any, now: Any) -> Any:
        waiting = job is not None and job.succeeded and graph is not None and not graph.status.running
        return None if waiting else judge(attempt, graph, job, now)

    return replaced(follow, "judge", patient)


def unread_jobs_awaited() -> Broken:
    """An upgrade whose job cannot be read is never judged, unless it succeeded."""
    judge = verdicts.judge_without_job

    def patient(attempt: Any, graph: Any, *more: Any) -> Any:
        judgement = judge(attempt, graph, *more)
        return judgement if judgement is not None and judgement.verdict.upgraded else None

    return replaced(follow, "judge_without_job", patient)


def odd_answers_break_runs() -> Broken:
    """An answer that is no JSON is an exception of the decoder."""
    return replaced(transport, "decode_json", lambda text: msgspec.json.decode(text or "{}"))


def promises_forgotten() -> Broken:
    """That a start was announced is forgotten after ten days, as if it had been compacted."""
    notice_ends = Outbox.notice_ends

    def forgetful(self: Outbox, graph: Any, version: Any, notice: timedelta, now: datetime) -> datetime:
        promise = self.promise(graph, version)
        old = promise is not None and promise.delivered_at is not None and now - promise.delivered_at > timedelta(days=10)
        return now + notice if old else notice_ends(self, graph, version, notice, now)

    return replaced(Outbox, "notice_ends", forgetful)


BAD_DAYS: dict[str, Callable[[], Broken]] = {
    "talk_teaches": talk_teaches,
    "bounds_ignored": bounds_ignored,
    "rollbacks_undone": rollbacks_undone,
    "odd_answers_break_runs": odd_answers_break_runs,
    "promises_forgotten": promises_forgotten,
    "resume_forgives": resume_forgives,
}
# No seed is known yet that finds them; `make soak DEFECTS=1` looks for one.
SOUGHT: dict[str, Callable[[], Broken]] = {
    "cutoffs_before_freezes_ignored": cutoffs_before_freezes_ignored,
    "changing_lists_believed": changing_lists_believed,
    "renamed_rules_forgive": renamed_rules_forgive,
    "removed_pauses_end": removed_pauses_end,
    "faulty_graphs_awaited": faulty_graphs_awaited,
    "unread_jobs_awaited": unread_jobs_awaited,
}
