"""What became of an attempt, for each thing that GES may show."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.jobs import Job
from ges_upgrader.domain.model import Verdict
from ges_upgrader.history.history import History
from ges_upgrader.planning.verdicts import (
    LOOKS,
    OVER,
    Judgement,
    Sightings,
    judge,
    judge_without_job,
    of_other_operator,
    overdue,
)
from tests.builders import NOW, attempt, graph

OLD, NEW, OTHER = "2.4.4", "2.4.15", "2.4.9"
ATTEMPT = attempt(graph("a", OLD), NEW)


def job(status: str) -> Job:
    return Job(id="job-1", status=status, fail_reason="no space" if status == "failed" else None)


@pytest.mark.parametrize(
    ("version", "status", "job_status", "verdict"),
    [
        (OLD, "200", "pending", None),
        (OLD, "201", "running", None),
        (NEW, "201", "success", None),
        (NEW, "920", "success", None),
        (OLD, "203", "failed", None),
        (OLD, "200", "a word of tomorrow", None),
        (NEW, "200", "a word of tomorrow", Verdict.SUCCEEDED),
        (NEW, "300", "a word of tomorrow", None),
        (NEW, "200", "success", Verdict.SUCCEEDED),
        (OLD, "200", "success", Verdict.VERSION_UNCHANGED),
        (OTHER, "200", "success", Verdict.VERSION_UNCHANGED),
        (OLD, "200", "failed", Verdict.ROLLED_BACK),
        (OLD, "200", "partiallyFailed", Verdict.ROLLED_BACK),
        (NEW, "200", "failed", Verdict.FAILED),
        (OLD, "300", "failed", Verdict.FAILED),
        (NEW, "200", None, Verdict.SUCCEEDED),
        (OLD, "200", None, Verdict.VANISHED),
        (None, "200", "success", Verdict.VERSION_UNCHANGED),
        ("2.5.0", "200", "success", Verdict.SUCCEEDED),
        ("2.5.0", "200", None, Verdict.SUCCEEDED),
        ("2.5.0", "200", "failed", Verdict.FAILED),
    ],
)
def test_the_graph_is_believed_before_the_job(
    version: str | None, status: str, job_status: str | None, verdict: Verdict | None
) -> None:
    judgement = judge(ATTEMPT, graph("a", version, status), job(job_status) if job_status else None, NOW)
    assert (judgement.verdict if judgement else None) is verdict


@pytest.mark.parametrize(
    ("job_status", "verdict"),
    [("success", Verdict.VERSION_UNCHANGED), ("failed", Verdict.ROLLED_BACK), (None, Verdict.VANISHED)],
)
def test_an_adopted_upgrade_to_nobody_knows_what_has_not_arrived_where_it_began(
    job_status: str | None, verdict: Verdict
) -> None:
    adopted = attempt(graph("a", OLD), OLD, adopted=True)
    judgement = judge(adopted, graph("a", OLD), job(job_status) if job_status else None, NOW)
    assert judgement is not None
    assert judgement.verdict is verdict


@pytest.mark.parametrize(
    ("version", "status", "succeeded"),
    [
        (NEW, "200", True),
        ("2.5.0", "200", True),
        (NEW, "201", False),
        (NEW, "303", False),
        (OLD, "200", False),
        (None, "200", False),
    ],
)
def test_without_its_job_an_upgrade_shows_only_where_the_graph_has_arrived(
    version: str | None, status: str, succeeded: bool
) -> None:
    judgement = judge_without_job(ATTEMPT, graph("a", version, status))
    assert (judgement is not None) is succeeded
    if judgement is not None:
        assert judgement.verdict is Verdict.SUCCEEDED
        assert not judgement.sure
        assert judgement.detail == f"the job could not be read; the graph runs {version}"
    assert judge_without_job(ATTEMPT, None) is None


def test_a_graph_that_was_taken_further_by_another_hand_is_said_to_be_there() -> None:
    later, exact = (judge(ATTEMPT, graph("a", version), job("success"), NOW) for version in ("2.5.0", NEW))
    assert later is not None
    assert exact is not None
    assert (later.detail, exact.detail) == ("by now the graph runs 2.5.0", None)


def test_a_graph_that_is_gone_vanished_but_not_at_first_sight() -> None:
    judgement = judge(ATTEMPT, None, None, NOW)
    assert judgement
    assert (judgement.verdict, judgement.sure) == (Verdict.VANISHED, False)


def test_an_unchanged_version_is_not_believed_at_first_sight_as_ges_may_lag() -> None:
    judgement = judge(ATTEMPT, graph("a", OLD), job("success"), NOW)
    assert judgement
    assert not judgement.sure


@pytest.mark.parametrize("status", ["success", "failed"])
def test_what_is_so_two_minutes_after_the_job_ended_is_believed_at_once(status: str) -> None:
    over = msgspec.structs.replace(job(status), ended_at=NOW)
    for after, sure in ((timedelta(minutes=2), True), (timedelta(minutes=1, seconds=59), False)):
        judgement = judge(ATTEMPT, graph("a", OLD if status == "success" else NEW), over, NOW + after)
        assert judgement
        assert judgement.sure is sure


def test_the_reason_of_a_failed_job_is_told() -> None:
    judgement = judge(ATTEMPT, graph("a", OLD), job("failed"), NOW)
    assert judgement
    assert judgement.detail == "no space"


def test_an_attempt_is_overdue_once() -> None:
    late = NOW + timedelta(hours=2, seconds=1)
    assert overdue(ATTEMPT, late, timedelta(hours=2))
    assert not overdue(ATTEMPT, NOW + timedelta(hours=2), timedelta(hours=2))
    assert not overdue(msgspec.structs.replace(ATTEMPT, timed_out=True), late, timedelta(hours=2))


@pytest.mark.parametrize("status", ["300", "303"])
@pytest.mark.parametrize("version", [OLD, NEW])
def test_faulty_graph_fails_a_successful_job(status: str, version: str) -> None:
    judgement = judge(ATTEMPT, graph("a", version, status), job("success"), NOW)
    assert judgement and (judgement.verdict, judgement.sure) == (Verdict.FAILED, False)


@pytest.mark.parametrize("status", [None, "success", "failed", "running"])
def test_deleted_graph_vanished(status: str | None) -> None:
    judgement = judge(ATTEMPT, graph("a", NEW, "400"), job(status) if status else None, NOW)
    assert judgement and judgement.verdict is Verdict.VANISHED


@pytest.mark.parametrize(
    ("known", "version", "verdict", "foreign"),
    [
        ({"inferred": True}, OLD, Verdict.VERSION_UNCHANGED, True),
        ({"inferred": True}, OLD, Verdict.VANISHED, True),
        ({"inferred": True}, OLD, Verdict.ROLLED_BACK, False),
        ({"inferred": True}, OTHER, Verdict.VERSION_UNCHANGED, False),
        ({"inferred": True, "seen_in_flight": True}, OLD, Verdict.VERSION_UNCHANGED, False),
        ({}, OLD, Verdict.VERSION_UNCHANGED, False),
    ],
)
def test_inferred_job_without_a_trace_is_not_ours(
    known: dict[str, bool], version: str, verdict: Verdict, foreign: bool
) -> None:
    one = msgspec.structs.replace(ATTEMPT, **known)
    assert of_other_operator(one, graph("a", version), Judgement(verdict)) is foreign


@given(looks=st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.sampled_from([True, True, True, False])), max_size=20))
def test_sightings_suffice_alike_in_one_run_and_in_many(looks: list[tuple[int, bool, bool]]) -> None:
    """Each look: the seconds since the last, whether a new run makes it, and whether it sees the same again."""
    past, now, times, since = History(), NOW, 0, NOW
    sightings = Sightings(lambda: past, past.apply)
    believed = 0
    for pause, new_run, same in looks:
        now += timedelta(seconds=pause)
        sightings = Sightings(lambda: past, past.apply) if new_run else sightings
        if not same:
            sightings.contradict("a", now)
            times = 0
            continue
        times, since = times + 1, since if times else now
        if sightings.suffice("a", Verdict.VANISHED, now):
            assert times >= LOOKS and now - since >= OVER
            believed += 1
    if looks and all(same for *_, same in looks) and not any(new for _, new, _ in looks[1:]):
        assert bool(believed) is (times >= LOOKS and now - since >= OVER)


def test_one_look_a_run_suffices_in_the_end() -> None:
    past = History()
    found = [
        Sightings(lambda: past, past.apply).suffice("a", Verdict.VANISHED, NOW + minute * timedelta(minutes=5))
        for minute in range(4)
    ]
    assert found == [False, False, True, True]
