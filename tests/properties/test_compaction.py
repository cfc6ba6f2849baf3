"""What is folded away is missed by nobody: the planner says the same, and what is untold stays untold."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ges_upgrader.domain.model import Action, Decision, Graph, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.attempts import TIMED
from ges_upgrader.history.history import History
from ges_upgrader.history.observations import blind_notice_id
from ges_upgrader.history.records import (
    AnyRecord,
    Approved,
    BackupEnded,
    BackupIntended,
    Claimed,
    Ended,
    FellBehind,
    Intended,
    Noticed,
    Observed,
    Questioned,
    Refused,
    Reinstated,
    Resumed,
    Retried,
    Told,
    Unobserved,
    Verified,
    Withdrawn,
)
from ges_upgrader.journal.compaction import BACKUPS_REMEMBERED, Entry, fold
from ges_upgrader.journal.lines import decoded, encoded
from ges_upgrader.notifications.notices import notices
from tests.builders import NOW, attempt, backup_attempt, begin, finish, graph, plan
from tests.properties.test_planner import Rollout, fleets, policies

KEEP = timedelta(days=20)
STARTS = (Action.UPGRADE, Action.BACKUP)


class Recorded(History):
    """A history that can be told again."""

    def __init__(self) -> None:
        self.records: list[AnyRecord] = []
        super().__init__()

    def apply(self, record: AnyRecord) -> None:
        super().apply(record)
        self.records.append(record)

    @property
    def entries(self) -> list[Entry]:
        return [Entry(encoded(record), record) for record in self.records]

    def folded(self, now: datetime) -> History:
        return History(decoded(line) for line in fold(self.entries, self, now - KEEP))


def folded_at(records: list[AnyRecord], places: Collection[int], keep: timedelta, now: datetime) -> History:
    """What the records add up to, if the journal was folded behind these places, each as late as the next record lets it."""
    kept: list[AnyRecord] = []
    for place, record in enumerate(records):
        kept.append(record)
        if place in places:
            following = records[place + 1].at if place + 1 < len(records) else now
            entries = [Entry(encoded(one), one) for one in kept]
            kept = [decoded(line) for line in fold(entries, History(kept), following - keep)]
    return History(kept)


class Reporting(Rollout):
    """A rollout whose notices are sent. Now and then a start is refused, or a backup fails."""

    def live(self, draw: Callable[[Any], Any]) -> None:
        self.do(draw)
        for decision in self.run():
            if decision.action in STARTS and draw(st.integers(0, 3)):
                self.start(decision)
                break
        for one in self.history.attempts.open():
            if not draw(st.integers(0, 3)):
                self.history.apply(Refused(at=self.now, attempt_id=one.id, code="GES.7041", detail=""))
                self.show(one.graph_id, None, "200")
        for notice in notices(self.policy, self.history, self.plan(), True, self.now):
            self.history.apply(notice)
            if draw(st.integers(0, 9)):
                self.history.apply(Told(at=self.now, event_id=notice.notice_id, message_id=""))
        for event in self.history.outbox.pending():
            if event.attempt and draw(st.integers(0, 9)):
                self.history.apply(Told(at=self.now, event_id=event.id, message_id=""))

    def announce(self, graph_id: str, version: Version, start: datetime) -> None:
        """By `notices`."""

    def start(self, decision: Decision) -> None:
        if decision.action is Action.BACKUP and decision.target and decision.rule and next(self.numbers) % 2:
            one = backup_attempt(self.fleet[decision.graph_id], decision.target.text, rule=decision.rule, began_at=self.now)
            failed = msgspec.structs.replace(one, id=f"b{next(self.numbers)}")
            self.history.apply(BackupIntended(at=self.now, backup=failed))
            self.history.apply(BackupEnded(at=self.now, backup_id=failed.id, code="GES.1", detail="full"))
            return
        super().start(decision)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(policy=policies, fleet=fleets(), data=st.data())
def test_folding_at_every_point_changes_no_plan(policy: dict[str, Any], fleet: list[Graph], data: st.DataObject) -> None:
    """Nor a notice."""
    rollout = Reporting({**policy, "journal_keep": "1d"}, fleet)
    past = rollout.history = Recorded()
    for _ in range(3):
        for _ in range(data.draw(st.integers(0, 6))):
            rollout.live(data.draw)
        rollout.now += data.draw(st.sampled_from([timedelta(), timedelta(hours=13), timedelta(days=3), timedelta(days=200)]))
    keep = rollout.policy.memory
    places = data.draw(st.lists(st.integers(0, max(0, len(past.records) - 1)), max_size=3))
    folded = folded_at([*past.records], {*places, len(past.records) - 1}, keep, rollout.now)
    for later in (timedelta(), timedelta(hours=5), timedelta(days=3)):
        now = rollout.now + later
        said = plan(rollout.policy, rollout.fleet.values(), past, now)
        assert plan(rollout.policy, rollout.fleet.values(), folded, now) == said
        expected = notices(rollout.policy, past, said, True, now)
        assert notices(rollout.policy, folded, said, True, now) == expected
    assert folded.outbox.pending_ids() == past.outbox.pending_ids()
    assert folded.controls.pauses == past.controls.pauses
    assert folded.attempts.open() == past.attempts.open()
    assert folded.attempts.failure_counts() == past.attempts.failure_counts()
    assert folded.attempts.refusals == past.attempts.refusals
    assert folded.backups.refusals == past.backups.refusals


def long_ago(*records: AnyRecord) -> list[AnyRecord]:
    past = Recorded()
    for record in records:
        past.apply(record)
    return [decoded(line) for line in fold(past.entries, past, NOW + timedelta(days=1))]


ONE = attempt(graph("a"), job_id=None)
BEGUN = Intended(at=NOW, attempt=ONE)
DONE = Ended(at=NOW, attempt_id=ONE.id, verdict=Verdict.SUCCEEDED)
FAILED = Ended(at=NOW, attempt_id=ONE.id, verdict=Verdict.FAILED)


def test_what_is_over_and_told_goes() -> None:
    told = Told(at=NOW, event_id=f"{ONE.id}:succeeded", message_id="m")
    next_one = msgspec.structs.replace(attempt(graph("a", "2.4.15"), "2.4.16", job_id=None), id="next")
    next_begun = Intended(at=NOW, attempt=next_one)
    next_done = Ended(at=NOW, attempt_id="next", verdict=Verdict.SUCCEEDED)
    assert long_ago(BEGUN, DONE, told, next_begun, next_done) == [next_begun, next_done]


def test_what_a_graph_was_upgraded_to_stays() -> None:
    told = Told(at=NOW, event_id=f"{ONE.id}:succeeded", message_id="m")
    notice = Noticed(at=NOW, notice_id="n", text="", notice_kind="set-aside", version=ONE.to_version, graphs=(ONE.graph_id,))
    sent = Told(at=NOW, event_id="n", message_id="m")
    assert long_ago(BEGUN, DONE, told, notice, sent) == [BEGUN, DONE, told, notice, sent]
    assert long_ago(BEGUN, DONE, told, notice, sent, Retried(at=NOW, graph_id=ONE.graph_id, rolled_back=(ONE.graph_id,))) == []


def test_what_ges_does_not_know_stays() -> None:
    """Nor how often it was refused: tries of other windows count anew."""
    tries = [msgspec.structs.replace(ONE, id=f"try-{day}", began_at=NOW - timedelta(days=3 - day)) for day in range(3)]
    refusals: list[AnyRecord] = []
    for one in tries:
        refused = Refused(at=one.began_at, attempt_id=one.id, code="GES.0001", detail="", unknown_target=True)
        refusals += [Intended(at=one.began_at, attempt=one), refused]
    assert long_ago(*refusals) == [*refusals[:2], *refusals[-2:]]
    assert long_ago(*refusals, Retried(at=NOW, graph_id=ONE.graph_id)) == []


def test_what_is_open_untold_or_counts_stays() -> None:
    assert long_ago(BEGUN) == [BEGUN]
    assert long_ago(BEGUN, DONE) == [BEGUN, DONE]
    told = Told(at=NOW, event_id=f"{ONE.id}:failed", message_id="m")
    assert long_ago(BEGUN, FAILED, told) == [BEGUN, FAILED, told]
    assert long_ago(BEGUN, FAILED, told, Resumed(at=NOW)) == []


def test_what_was_told_late_and_then_refused_stays_while_it_is_untold() -> None:
    late = Ended(at=NOW, attempt_id=ONE.id, verdict=Verdict.TIMED_OUT)
    refused = Refused(at=NOW, attempt_id=ONE.id, code="never-began", detail="")
    told = Told(at=NOW, event_id=f"{ONE.id}:timed-out", message_id="m")
    assert long_ago(BEGUN, late, refused) == [BEGUN, late, refused]
    assert long_ago(BEGUN, late, refused, told) == [BEGUN, late, refused, told]
    assert long_ago(BEGUN, late, refused, told, Retried(at=NOW, graph_id=ONE.graph_id)) == []


def test_a_failure_that_counts_keeps_what_became_of_the_graph_after_it() -> None:
    past = Recorded()
    finish(begin(past, ONE), ONE, Verdict.FAILED)
    later = msgspec.structs.replace(attempt(graph("a")), id="later", began_at=NOW + timedelta(hours=1))
    finish(begin(past, later), later, Verdict.SUCCEEDED)
    for event in past.outbox.pending_ids():
        past.apply(Told(at=NOW, event_id=event, message_id=""))
    assert past.attempts.failure_of(ONE.key, ONE.to_version) is None
    folded = past.folded(NOW + timedelta(days=90))
    assert folded.attempts.failure_of(ONE.key, ONE.to_version) is None
    assert folded.attempts.failure_counts() == past.attempts.failure_counts()


def test_of_the_backups_made_here_the_last_are_remembered() -> None:
    records: list[AnyRecord] = []
    for number in range(BACKUPS_REMEMBERED + 5):
        made = backup_attempt(graph("a"), id=f"b{number}")
        records += [BackupIntended(at=NOW, backup=made), BackupEnded(at=NOW, backup_id=f"b{number}", made=f"m{number}")]
    kept = History(long_ago(*records)).backups.made[ONE.key]
    assert kept == [f"m{number}" for number in range(5, BACKUPS_REMEMBERED + 5)]


def test_a_lease_stays_as_long_as_its_event_is_untold() -> None:
    notice = Noticed(at=NOW, notice_id="n", text="")
    old, lease = (Claimed(at=NOW, event_id="n", run_id=run, until=NOW) for run in ("r1", "r2"))
    assert long_ago(notice, old, lease) == [notice, lease]
    assert long_ago(notice, lease, Told(at=NOW, event_id="n", message_id="m")) == []


def test_what_was_reinstated_or_questioned_stays() -> None:
    version = Version("2.4.15")
    reinstated: list[AnyRecord] = [Withdrawn(at=NOW, version=version), Reinstated(at=NOW, version=version)]
    assert long_ago(*reinstated) == reinstated
    question = Questioned(at=NOW, version=version, notice_id="n")
    assert long_ago(question) == [question]
    assert long_ago(question, Withdrawn(at=NOW, version=version)) == [Withdrawn(at=NOW, version=version)]


def test_pardon_with_a_slow_clock_stays_beside_its_failure() -> None:
    """The place decides: the run that recorded the pardon had a clock a minute behind."""
    begun, failed = (msgspec.structs.replace(one, at=NOW + timedelta(days=1, seconds=5)) for one in (BEGUN, FAILED))
    told = Told(at=failed.at, event_id=f"{ONE.id}:failed", message_id="m")
    for pardon in (Retried(at=NOW + timedelta(hours=23), graph_id=ONE.graph_id), Resumed(at=NOW)):
        assert long_ago(begun, failed, told, pardon) == [begun, failed, told, pardon]


@pytest.mark.parametrize("months", [1, 7])
def test_long_refusal_keeps_its_beginning_and_notice(months: int) -> None:
    """`force: {after: 30d}` counts from it, and the notice is not sent again."""
    past = Recorded()
    notice = Noticed(
        at=NOW, notice_id="refused:g:2.4.15:GES.7041:x", text="full", version=ONE.to_version, graphs=(ONE.graph_id,)
    )
    for day in range(30 * months):
        now = NOW + timedelta(days=day)
        past.apply(Intended(at=now, attempt=msgspec.structs.replace(ONE, id=f"try-{day}", began_at=now)))
        past.apply(Refused(at=now, attempt_id=f"try-{day}", code="GES.7041", detail=""))
        if not past.outbox.knows(notice.notice_id):
            past.apply(notice)
            past.apply(Told(at=now, event_id=notice.notice_id, message_id="m"))
    folded = folded_at([*past.records], range(0, len(past.records), 40), timedelta(days=1), now)
    assert folded.attempts.refusals == past.attempts.refusals
    assert folded.attempts.refusals[ONE.key].since == NOW
    assert folded.outbox.delivered(notice.notice_id)


def test_notice_that_is_over_goes() -> None:
    for notice_id in ("unclear:x:2026-11-23", "not-handed-on:x", "started:x", "damaged:x"):
        notice = Noticed(at=NOW, notice_id=notice_id, text="…", version=ONE.to_version)
        assert long_ago(notice, Told(at=NOW, event_id=notice_id, message_id="m")) == []


def test_delivered_notice_keeps_what_it_was_about() -> None:
    notice = Noticed(at=NOW, notice_id="planned:x", text="…", subject="…", rule="dev", version=ONE.to_version, graphs=("g",))
    kept, told = long_ago(notice, Told(at=NOW, event_id="planned:x", message_id="m"))
    assert kept == msgspec.structs.replace(notice, text="", subject="")
    assert isinstance(told, Told)


def test_blindness_that_lasts_stays() -> None:
    lost = Unobserved(at=NOW, region="cn-north-4", project_id="p", error="HTTP 503")
    assert long_ago(lost) == [lost]
    assert long_ago(lost, Observed(at=NOW, region="cn-north-4", project_id="p")) == []


def test_project_that_stays_blind_is_reported_once() -> None:
    lost = Unobserved(at=NOW, region="cn-north-4", project_id="p", error="HTTP 503")
    notice = Noticed(at=NOW, notice_id=blind_notice_id(lost), text="", notice_kind="blind")
    told = Told(at=NOW, event_id=notice.notice_id, message_id="m")
    assert long_ago(lost, notice, told) == [lost, notice, told]
    assert long_ago(lost, notice, told, Observed(at=NOW, region="cn-north-4", project_id="p")) == []


def test_standing_verification_stays() -> None:
    """A soak counts from it."""
    reached = [Verified(at=NOW, rule="dev", version=Version(version)) for version in ("2.4.9", "2.4.15")]
    assert long_ago(*reached) == reached
    assert long_ago(*reached, FellBehind(at=NOW, rule="dev", version=Version("2.4.9"))) == reached[:1]


def test_last_approval_stays() -> None:
    """A later notice says when it expired."""
    first, second = (Approved(at=NOW + timedelta(hours=hour), version=ONE.to_version, rule="dev") for hour in (0, 1))
    assert long_ago(first, second) == [second]


def test_last_times_of_upgrades_stay() -> None:
    """`cutoff: auto` goes by them."""
    past = Recorded()
    for number in range(TIMED + 10):
        one = msgspec.structs.replace(attempt(graph("a"), job_id=None), id=f"a{number}", began_at=NOW)
        ended = NOW + timedelta(minutes=number)
        past.apply(Intended(at=NOW, attempt=one))
        past.apply(Ended(at=ended, attempt_id=one.id, verdict=Verdict.SUCCEEDED, job_ended_at=ended))
        past.apply(Told(at=ended, event_id=f"{one.id}:succeeded", message_id="m"))
    folded = past.folded(NOW + timedelta(days=400))
    assert folded.attempts.durations == past.attempts.durations
    assert folded.attempts.durations[0] == timedelta(minutes=10)


def test_pardon_of_an_unreported_failure_stays() -> None:
    pardon = Retried(at=NOW, graph_id=ONE.graph_id)
    assert long_ago(BEGUN, FAILED, pardon) == [BEGUN, FAILED, pardon]


def test_long_failure_of_backups_keeps_its_beginning() -> None:
    past = Recorded()
    for day in range(90):
        now = NOW + timedelta(days=day)
        one = backup_attempt(graph("a"), id=f"b{day}", began_at=now)
        past.apply(BackupIntended(at=now, backup=one))
        past.apply(BackupEnded(at=now, backup_id=one.id, code="GES.1", detail="full"))
    folded = past.folded(NOW + timedelta(days=400))
    assert folded.backups.refusals == past.backups.refusals
    assert folded.backups.refusals[ONE.key].since == NOW
