"""What is folded away is missed by nobody: the planner says the same, and what is untold stays untold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ges_upgrader.domain.model import Action, Graph, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import (
    AnyRecord,
    BackupEnded,
    BackupIntended,
    Claimed,
    Ended,
    Intended,
    Noticed,
    Questioned,
    Refused,
    Reinstated,
    Resumed,
    Retried,
    Told,
    Withdrawn,
)
from ges_upgrader.journal.compaction import BACKUPS_REMEMBERED, Entry, fold
from ges_upgrader.journal.lines import decoded, encoded
from ges_upgrader.planning.matching import govern
from tests.builders import NOW, attempt, backup_attempt, begin, finish, graph, plan
from tests.properties.test_planner import Rollout, fleets, policies

KEEP = timedelta(days=20)  # longer than any of the policies looks back
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

    def folded(self, now: Any) -> History:
        return History(decoded(line) for line in fold(self.entries, self, now - KEEP))


def lasting(policy: dict[str, Any]) -> dict[str, Any]:
    """The policy without what is meant to forget: the 90th percentile, and notices given long ago."""
    for rule in policy["rules"]:
        rule.pop("notice", None)
        if rule.get("cutoff") == "auto":
            del rule["cutoff"]
    return policy


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(policy=policies.map(lasting), fleet=fleets(), data=st.data())
def test_the_planner_says_the_same_of_a_history_that_was_folded(
    policy: dict[str, Any], fleet: list[Graph], data: st.DataObject
) -> None:
    rollout = Rollout(policy, fleet)
    past = rollout.history = Recorded()
    for days in (15, 15, 15):
        for _ in range(data.draw(st.integers(0, 6))):
            rollout.do(data.draw)
            for decision in rollout.run():
                if decision.action in STARTS and data.draw(st.booleans()):
                    rollout.start(decision)
                    break
        rollout.now += timedelta(days=data.draw(st.integers(0, days)))
    folded = past.folded(rollout.now)
    for later in (timedelta(), timedelta(hours=5), timedelta(days=3)):
        now = rollout.now + later
        said = plan(rollout.policy, rollout.fleet.values(), past, now)
        again = plan(rollout.policy, rollout.fleet.values(), folded, now)
        assert again == said
    assert folded.outbox.pending_ids() == past.outbox.pending_ids()
    assert folded.controls.pauses == past.controls.pauses
    assert folded.attempts.open() == past.attempts.open()
    assert folded.attempts.failure_counts() == past.attempts.failure_counts()
    assert len(list(govern(rollout.policy.rules, rollout.fleet.values()))) == len(rollout.fleet)


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
    tries = [msgspec.structs.replace(ONE, id=f"try-{hour}", began_at=NOW - timedelta(hours=3 - hour)) for hour in range(3)]
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
    assert long_ago(BEGUN, late, refused, told) == []


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
