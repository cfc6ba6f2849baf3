"""What of a run's rest is worth a run of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ges_upgrader.domain.model import Action, Attempt, BackupAttempt, Decision, Reason, Start
from ges_upgrader.history.history import History
from ges_upgrader.notifications.notices import not_handed_over
from ges_upgrader.running.hand_over import Rest, unfinished
from tests.builders import NOW, attempt, backup_attempt, graph, history, plan, policy, starts

DEMO = graph("demo")
UPGRADE = attempt(DEMO, began_at=NOW - timedelta(minutes=10))
BACKUP = backup_attempt(DEMO, id="backup-1", began_at=NOW - timedelta(minutes=10))
(DUE,) = starts(policy(), [DEMO], history("2.4.15"))
POLICY = policy("[{job_timeout: 1h}]")
UNREADABLE = History(readable=False)


def waiting(length: timedelta) -> Decision:
    (decision,) = plan(policy(), [DEMO], history("2.4.15"))
    return msgspec.structs.replace(decision, action=Action.WAIT, reason=Reason.OUTSIDE_WINDOW, until=NOW + length)


def rest(**fields: Any) -> Rest:
    began, full = NOW - timedelta(minutes=14), timedelta(minutes=15)
    given: dict[str, Any] = {"in_progress": [], "postponed": [], "waiting": [], "idle": False, **fields}
    return Rest(began=began, full=full, **given)


def test_nothing_is_worth_nothing() -> None:
    assert unfinished(rest(), POLICY, history(), NOW) == []


@pytest.mark.parametrize("work", [UPGRADE, BACKUP])
@pytest.mark.parametrize("known", [history(), UNREADABLE])
def test_what_is_on_its_way_goes_on_whether_or_not_the_journal_can_be_read(
    work: Attempt | BackupAttempt, known: History
) -> None:
    assert unfinished(rest(in_progress=[work]), POLICY, known, NOW) == [work]


@pytest.mark.parametrize("work", [UPGRADE, BACKUP])
def test_it_does_so_to_the_job_timeout_of_its_rule(work: Attempt | BackupAttempt) -> None:
    last = work.began_at + timedelta(hours=1)
    assert unfinished(rest(in_progress=[work]), POLICY, history(), last) == [work]
    assert unfinished(rest(in_progress=[work]), POLICY, history(), last + timedelta(microseconds=1)) == []


def test_where_its_rule_is_gone_it_does_so_for_two_hours() -> None:
    orphan = msgspec.structs.replace(UPGRADE, rule="gone")
    assert unfinished(rest(in_progress=[orphan]), POLICY, history(), orphan.began_at + timedelta(hours=2)) == [orphan]
    assert unfinished(rest(in_progress=[orphan]), POLICY, history(), orphan.began_at + timedelta(hours=2, seconds=1)) == []


def test_what_has_timed_out_is_left_to_timers_although_the_policy_is_more_patient_by_now() -> None:
    late = msgspec.structs.replace(UPGRADE, timed_out=True)
    assert unfinished(rest(in_progress=[late]), POLICY, history(), NOW) == []


def test_what_was_taken_up_without_a_time_of_its_own_is_left_to_timers() -> None:
    given = rest()
    young = msgspec.structs.replace(UPGRADE, adopted=True, began_at=given.began)
    known = msgspec.structs.replace(UPGRADE, adopted=True, began_at=given.began - timedelta(seconds=1))
    assert unfinished(rest(in_progress=[young, known]), POLICY, history(), NOW) == [known]


def test_a_start_without_time_goes_on_where_the_run_did_something_and_the_journal_can_be_read() -> None:
    assert unfinished(rest(postponed=[DUE]), POLICY, history(), NOW) == [DUE]
    assert unfinished(rest(postponed=[DUE], idle=True), POLICY, history(), NOW) == []
    assert unfinished(rest(postponed=[DUE]), POLICY, UNREADABLE, NOW) == []


def test_a_wait_goes_on_where_a_whole_run_can_wait_for_it_and_the_journal_can_be_read() -> None:
    soon, later = waiting(timedelta(minutes=15) - timedelta(seconds=1)), waiting(timedelta(minutes=15))
    assert unfinished(rest(waiting=[soon, later]), POLICY, history(), NOW) == [soon]
    assert unfinished(rest(waiting=[soon]), POLICY, UNREADABLE, NOW) == []


def test_the_notice_is_the_same_for_the_same_work_and_another_for_other_work() -> None:
    def notice_id(*work: Attempt | BackupAttempt | Start, why: str = "no") -> str:
        return not_handed_over(work, why, "Do it.", NOW).notice_id

    assert notice_id(UPGRADE, BACKUP) == notice_id(BACKUP, UPGRADE, why="another")
    assert len({notice_id(UPGRADE), notice_id(BACKUP), notice_id(DUE), notice_id(UPGRADE, BACKUP)}) == 4
