"""Every kind of notice and every outcome, in each channel, as `tests/data/notifications` has them.

`PYTHONPATH=function python -m tests.unit.notifications.test_golden` writes them anew. Read the difference before you commit it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ges_upgrader.domain.latency import Latency
from ges_upgrader.domain.model import Graph, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.events.reading import timer_mistake
from ges_upgrader.history.controls import Damage
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import Event
from ges_upgrader.history.records import AnyRecord, BackupEnded, BackupIntended, Noticed, Refused, Released, Unobserved
from ges_upgrader.notifications.messages import Message, compose
from ges_upgrader.notifications.notices import journal_started, not_handed_over, notices, started, unwritten
from ges_upgrader.notifications.overdue import overdue_notices
from ges_upgrader.notifications.rollback import rollback_notices
from ges_upgrader.notifications.set_aside import set_aside_notices
from ges_upgrader.notifications.sight import journal_blind, journal_recovered, lifted_damage, sightings
from ges_upgrader.notifications.texts import NOTICES
from ges_upgrader.planning.gates import UNHEALTHY_BEFORE
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.running.policies.refusal import refused_notice, unreachable_notice
from tests.builders import NOW, PROJECT, attempt, backup_attempt, begin, finish, graph, history, plan, policy, survey

DATA = Path(__file__).parents[2] / "data" / "notifications"
SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
A, B = graph("a"), graph("b")


def of(rules: str, past: History, graphs: tuple[Graph, ...] = (A, B), now: datetime = NOW) -> Noticed:
    """The one notice about a fleet under these rules."""
    under = policy(rules, state="file:///state")
    (notice,) = notices(under, past, plan(under, graphs, past, now), True, now)
    return notice


def seen(*records: AnyRecord) -> History:
    past = history("2.4.15")
    for record in records:
        past.apply(record)
    return past


def refused(code: str = "GES.0114", detail: str = "GES.0114 (HTTP 400): no permission") -> History:
    past = begin(seen(), attempt(A, job_id=None))
    past.apply(Refused(at=NOW, attempt_id="attempt-a", code=code, detail=detail))
    return past


def failed() -> History:
    return finish(begin(seen(), attempt(A)), attempt(A), Verdict.FAILED)


def rolled_back() -> Noticed:
    past = finish(begin(seen(), attempt(A)), attempt(A), Verdict.SUCCEEDED)
    (notice,) = set_aside_notices(survey(policy(), (A,), past, NOW + HOUR))
    return notice


def damaged(lifted: bool) -> Noticed:
    past = seen(Noticed(at=NOW, notice_id="damaged:d1", text="x", notice_kind="damaged"))
    if lifted:
        return next(lifted_damage(past, NOW))
    past = seen()
    past.controls.suffer(Damage("d1", "record 4 of journal-1.jsonl", "it is of an unknown kind, 'frozen'", graph_id=A.id))
    return next(one for one in notices(policy(), past, (), True, NOW) if one.notice_kind == "damaged")


def sighted(*, again: bool) -> Noticed:
    lost = Unobserved(at=NOW, region=PROJECT.region, project_id=PROJECT.project_id, error="HTTP 503")
    past = seen(lost)
    (blind,) = sightings(past, (), {PROJECT: "ges list_graphs in cn-north-4: HTTP 403"}, 2 * HOUR, NOW + 2 * HOUR)
    assert isinstance(blind, Noticed)
    if not again:
        return blind
    past.apply(blind)
    _, recovered = sightings(past, (PROJECT,), {}, 2 * HOUR, NOW + 3 * HOUR)
    assert isinstance(recovered, Noticed)
    return recovered


def mistake() -> Noticed:
    one = timer_mistake("nightly", " withdraw 2.4.15", "it is neither a command nor JSON", NOW)
    return Noticed(at=NOW, notice_id=one.id, text=one.text, notice_kind=one.kind, subject=one.subject)


def slow_backup() -> Noticed:
    return of("[{backup: required}]", seen(BackupIntended(at=NOW, backup=backup_attempt(A))), now=NOW + 3 * HOUR)


def failed_backup() -> Noticed:
    ended = BackupEnded(at=NOW, backup_id="b", code="GES.8010", detail="GES.8010 (HTTP 400): too many backups")
    return of(
        "[{backup: required}]", seen(BackupIntended(at=NOW, backup=backup_attempt(A)), ended), (A,), NOW + timedelta(minutes=1)
    )


def stalled() -> Noticed:
    rules = "[{name: dev, match: {name: 'dev*'}}, {name: prod, after: [dev]}]"
    return of(rules, seen(), (graph("dev_1", status="900"), A), NOW + WEEK)


def overdue() -> Noticed:
    under, now = policy("[{overdue: 30d, windows: ['Sat 02:00-06:00 UTC']}]"), NOW + 5 * WEEK
    surveyed = survey(under, (A, B), seen(), now)
    (notice,) = overdue_notices(surveyed, plan_of(surveyed).decisions)
    return notice


def rollback_ending() -> Noticed:
    past = finish(begin(seen(), attempt(A)), attempt(A), Verdict.SUCCEEDED)
    (notice,) = rollback_notices(survey(policy(), (graph("a", "2.4.15"),), past, NOW + timedelta(days=24)))
    return notice


def new_journal() -> Noticed:
    (notice,) = journal_started("obs://state/ges", History(), NOW)
    assert isinstance(notice, Noticed)
    return notice


def found() -> dict[str, Noticed]:
    """One notice of each wording of the catalogue, and of those that stand elsewhere."""
    return {
        "planned": of("[{notice: 24h, windows: ['Sat 02:00-06:00 UTC']}]", seen()),
        "started": started(attempt(A), NOW),
        "awaiting-approval": of("[{mode: approve}]", seen()),
        "available": of("[{mode: notify}]", seen()),
        "too-many": of("[{max_graphs: 1}]", seen()),
        "halted": of("[{}]", failed(), (A, B)),
        "refused": of("[{}]", refused(), (A,), NOW + timedelta(minutes=1)),
        "backup-failed": failed_backup(),
        "unhealthy-before": of(
            "[{}]",
            refused(UNHEALTHY_BEFORE, "count takes 3000 ms, more than its max_latency of 2000 ms"),
            (A,),
            NOW + timedelta(minutes=1),
        ),
        "overrun": of("[{}]", begin(seen(), attempt(A, closes=NOW + HOUR)), (A,), NOW + 2 * HOUR),
        "backup-slow": slow_backup(),
        "stalled": stalled(),
        "overdue": overdue(),
        "rollback-ending": rollback_ending(),
        "blind": sighted(again=False),
        "recovered": sighted(again=True),
        "blind:journal": journal_blind("obs://state/ges", NOW, "HTTP 503", NOW + HOUR),
        "recovered:journal": journal_recovered("obs://state/ges", NOW, NOW + HOUR),
        "recovered:damage": damaged(lifted=True),
        "damaged": damaged(lifted=False),
        "journal-started": new_journal(),
        "unclear:unwritten": unwritten(
            Released(at=NOW, release=history("2.4.15").releases.announcements(Version("2.4.15"))[0].release)
        ),
        "set-aside:rolled-back": rolled_back(),
        "policy-refused": refused_notice(["rules[0].windws: unknown field; did you mean windows?"], NOW),
        "policy-refused:unreachable": unreachable_notice("obs://bucket/policy.yaml cannot be read: HTTP 403", NOW),
        "not-handed-over": not_handed_over([attempt(A)], "HTTP 403", "Set follow_up: timer.", NOW),
        "timer-mistake": mistake(),
    }


def results() -> Iterator[tuple[str, Event]]:
    for verdict in Verdict:
        detail = None if verdict is Verdict.SUCCEEDED else "no space left"
        yield verdict.value, Event(f"job-1:{verdict.value}", NOW + HOUR, attempt(A), verdict, detail)
    slower = attempt(A, before=(Latency("count", 12.0),))
    grown = "count takes 30 ms, more than 1.5 times the 12 ms before the upgrade"
    yield (
        "unhealthy:slower",
        Event("job-1:unhealthy", NOW + HOUR, slower, Verdict.UNHEALTHY, grown, after=(Latency("count", 30.0),)),
    )
    yield "failed:halts", Event("job-1:failed", NOW + HOUR, attempt(A), Verdict.FAILED, "no space left", halts=True)


EVENTS = dict(results()) | {key: Event(id=one.notice_id, at=one.at, notice=one) for key, one in found().items()}


def content(message: Message) -> dict[str, Any]:
    return {
        "subject": message.subject,
        "default": json.loads(message.texts["default"]),
        "email": message.texts["email"].split("\n"),
        "sms": message.texts["sms"],
    }


def composed(key: str) -> dict[str, Any]:
    return content(compose(EVENTS[key], "run-1", "0123456789ab", lasting=True))


def file_of(key: str) -> Path:
    return DATA / f"{key.replace(':', '-')}.json"


@pytest.mark.parametrize("key", EVENTS)
def test_message_is_as_recorded(key: str) -> None:
    assert composed(key) == json.loads(file_of(key).read_text())


@pytest.mark.parametrize("key", EVENTS)
def test_json_fits_its_schema(key: str) -> None:
    default = composed(key)["default"]
    name = "notice" if default["schema"] == "ges.upgrade.notice/1" else "result"
    jsonschema.validate(default, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    assert default.get("kind", key.partition(":")[0]) == key.partition(":")[0]


def test_every_wording_is_recorded() -> None:
    assert set(NOTICES) - {"set-aside:unknown"} <= set(EVENTS)
    assert {path.name for path in DATA.iterdir()} == {file_of(key).name for key in EVENTS}


@pytest.mark.parametrize(
    "rules", ["[{notice: 24h, windows: ['Sat 02:00-06:00 UTC']}]", "[{mode: approve}]", "[{max_graphs: 1}]", "[{mode: notify}]"]
)
def test_long_names_cost_no_command(rules: str) -> None:
    fleet = tuple(graph(f"{number:03d}{'x' * 250}") for number in range(100))
    notice = of(rules, seen(), fleet)
    mail = compose(Event(id=notice.notice_id, at=NOW, notice=notice), "run-1", "p", lasting=True).texts["email"]
    commands = [line for line in notice.text.split("\n") if line.startswith("  {")]
    assert all(command in mail for command in commands)
    assert len(mail) < 5000


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for key in EVENTS:
        file_of(key).write_text(json.dumps(composed(key), ensure_ascii=False, indent=1) + "\n")
