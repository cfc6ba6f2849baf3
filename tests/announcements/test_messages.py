"""From the messages of an SMN event to what the run is asked to do: whom it believes, and what it reports of the rest."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest

from ges_upgrader.domain.model import Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.commands import Command, Question, Word
from ges_upgrader.events.meanings import Announced, Foreign, Withdrawal
from ges_upgrader.events.reading import read_event
from ges_upgrader.events.smn import Trust
from ges_upgrader.history.outbox import Event
from ges_upgrader.notifications.messages import compose
from tests.builders import NOW, PROJECT_ID, RELEASES_TOPIC, TOPIC, at, attempt, graph

STRANGE_TOPIC = "urn:smn:cn-east-3:fedcba9876543210fedcba9876543210:strange"
FUNCTION = f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader:latest"
STRANGE_FUNCTION = "urn:fss:cn-east-3:fedcba9876543210fedcba9876543210:function:default:x:latest"
RELEASE = json.dumps({"version": "2.4.15"})
RECALL = "GES 2.4.16 has been recalled."


def record(message: object, topic: str = RELEASES_TOPIC, function: str | None = None, **fields: Any) -> dict[str, Any]:
    smn = {"type": "notification", "topic_urn": topic, "message_id": "m1", "message": message, **fields}
    return {"event_source": "smn", "event_subscription_urn": function, "smn": smn}


def read(*records: object, topics: list[str] | None = None, now: datetime = NOW) -> Command:
    return read_event({"record": list(records)}, Trust(topics, TOPIC), now)


def versions(command: Command) -> list[str]:
    return [release.version.text for release in command.releases]


def test_understood_message_reconciles() -> None:
    command = read(record(RELEASE))
    assert (command.word, command.starts_nothing, versions(command)) == (Word.RECONCILE, False, ["2.4.15"])


@pytest.mark.parametrize("message", [RECALL, "hello", json.dumps({"schema": "ges.upgrade.result/1"}), "GES 2.4.9, 2.4.15"])
def test_event_without_understood_message_starts_nothing(message: str) -> None:
    command = read(record(message))
    assert (command.word, command.starts_nothing, command.changes_nothing) == (Word.RECONCILE, True, False)
    assert (command.releases, command.withdrawn) == ((), ())


def test_each_message_is_judged_by_itself() -> None:
    withdrawal = json.dumps({"event": "ges.version.withdrawn", "version": "2.4.9"})
    command = read(record(RECALL), record(RELEASE), None, record(withdrawal), record("hello"), record({"version": "2.4.15"}))
    assert (versions(command), command.withdrawn) == (["2.4.15"], (Version("2.4.9"),))
    assert (command.starts_nothing, command.foreign, len(command.notices)) == (False, 1, 1)
    assert "no SMN message" in command.remarks[0]


def test_event_without_any_message_is_a_plan() -> None:
    command = read(None, {"smn": {}}, 5)
    assert (command.word, command.starts_nothing) == (Word.PLAN, False)
    assert "no SMN message" in command.remarks[0]


def test_strange_topic_is_believed_in_nothing() -> None:
    for message in (RELEASE, RECALL, json.dumps({"event": "withdrawn", "version": "2.4.9"}), "hello"):
        command = read(record(message, STRANGE_TOPIC), topics=[RELEASES_TOPIC])
        assert (command.releases, command.withdrawn, command.questioned, command.notices) == ((), (), (), ())
        assert command.starts_nothing
        assert "not believed" in command.remarks[0]


def test_strange_topic_does_not_say_where_the_function_is() -> None:
    strange = record(RELEASE, STRANGE_TOPIC, STRANGE_FUNCTION)
    alone = read(strange, topics=[RELEASES_TOPIC])
    assert (alone.region, alone.project_id) == (None, None)
    beside = read(strange, record(RELEASE, function=FUNCTION), topics=[RELEASES_TOPIC])
    assert (beside.region, beside.project_id) == ("cn-north-4", PROJECT_ID)
    own = read(record("{}", TOPIC, STRANGE_FUNCTION))
    assert (own.region, own.project_id) == (None, None)


def test_trusted_message_says_where_the_function_is() -> None:
    assert (read(record(RELEASE)).region, read(record(RELEASE)).project_id) == ("cn-north-4", None)
    command = read(record(RECALL, function=FUNCTION))
    assert (command.region, command.project_id) == ("cn-north-4", PROJECT_ID)


@pytest.mark.parametrize(
    "records",
    [
        [record(RELEASE, TOPIC)],
        [record(RELEASE, type="SubscriptionConfirmation")],
        [record(json.dumps({"alarm_id": "al1", "message": "GES agent 2.4.15 disk full"}))],
        [record(json.dumps({"cts": {}, "detail": "GES upgradeGraph 2.4.15"}))],
        [record("RDS images: MySQL 8.0.28 is out")],
    ],
)
def test_foreign_message_is_counted_only(records: list[dict[str, Any]]) -> None:
    command = read(*records, *records)
    assert (command.foreign, command.notices, command.releases, command.remarks) == (2, (), (), ())


def test_text_without_product_is_unclear_on_a_named_topic() -> None:
    assert read(record("hello")).foreign == 1
    command = read(record("hello"), topics=[RELEASES_TOPIC])
    assert (command.foreign, len(command.notices)) == (0, 1)


def test_bare_version_counts_on_a_named_topic() -> None:
    assert versions(read(record("v2.4.15"), topics=[RELEASES_TOPIC])) == ["2.4.15"]
    assert versions(read(record("v2.4.15"))) == []


def test_one_notice_for_each_text_and_day() -> None:
    morning, evening, tomorrow = "2026-11-22T00:00:01Z", "2026-11-22T23:59:59Z", "2026-11-23T00:00:01Z"
    ids = [read(record(RECALL, timestamp=sent, message_id=sent)).notices[0].id for sent in (morning, evening, tomorrow)]
    assert ids[0] == ids[1] != ids[2]
    assert read(record(RECALL, timestamp=morning), record(RECALL, timestamp=evening)).notices[0].id == ids[0]
    assert len(read(record(RECALL, timestamp=morning), record(RECALL, timestamp=evening)).notices) == 1
    assert read(record(RECALL, timestamp=morning, subject="GES")).notices[0].id != ids[0]
    assert ids[0].startswith("unclear:2026-11-22:")


def test_day_is_that_of_delivery_and_never_ahead() -> None:
    ahead = read(record(RECALL, timestamp="2027-01-01T00:00:00Z")).notices[0].id
    assert ahead == read(record(RECALL)).notices[0].id
    assert ahead == read(record(RECALL, timestamp="2026-11-23T02:00:00")).notices[0].id


def test_notice_says_what_was_read_and_what_to_run() -> None:
    (notice,) = read(record(f"Dear all,\n\x1b[31m{RECALL}", subject="Heads up\x00")).notices
    assert "The SMN message m1 was not understood: it holds control characters" in notice.text
    assert "the subject “Heads up�” and the text “Dear all, ⏎ �[31mGES 2.4.16 has been recalled.”" in notice.text
    assert '  {"command": "release", "version": "2.4.16"}\n  {"command": "withdraw", "version": "2.4.16"}' in notice.text
    assert "It may withdraw or warn of 2.4.16" in notice.text


def test_notice_about_text_without_versions_names_no_command() -> None:
    (notice,) = read(record("GES is down for maintenance tonight.")).notices
    assert "command" not in notice.text


def test_long_text_is_quoted_in_part() -> None:
    (notice,) = read(record(f"GES 2.4.15 {'图' * 5000}")).notices
    assert len(notice.text) < 1000
    assert "图…”" in notice.text


def test_trusted_warning_questions_its_versions() -> None:
    command = read(record(RECALL))
    assert command.questioned == (Question(Version("2.4.16"), command.notices[0].id),)
    assert read(record("GES 2.4.16 will be released.")).questioned == ()
    assert read(record("DWS 2.4.16 has been recalled.")).questioned == ()


def test_dry_run_is_recorded_by_no_run() -> None:
    dry = json.dumps({"version": "2.4.9", "dry_run": True})
    withdrawal = json.dumps({"event": "ges.version.withdrawn", "version": "2.4.9", "dry_run": True})
    assert (read(record(dry)).dry_run, versions(read(record(dry)))) == (True, ["2.4.9"])
    assert read(record(withdrawal)).changes_nothing
    assert read(record(dry), record(withdrawal)).dry_run
    beside = read(record(dry), record(RELEASE), record(withdrawal))
    assert (beside.dry_run, versions(beside), beside.withdrawn) == (False, ["2.4.15"], ())
    assert len([remark for remark in beside.remarks if "dry run" in remark]) == 2


def test_withdrawal_reports_names_that_are_no_versions() -> None:
    command = read(record(json.dumps({"event": "withdrawn", "versions": ["2.4.9", "all"]})))
    assert command.withdrawn == (Version("2.4.9"),)
    assert "withdraws 'all' too" in command.remarks[0]


@pytest.mark.parametrize("attributes", [None, "", "None", [], {}, {"a": "b"}, [{"name": "a", "type": "STRING", "value": "b"}]])
def test_message_attributes_are_ignored(attributes: object) -> None:
    assert read(record(RELEASE, message_attributes=attributes)).releases


def test_time_without_zone_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        (notice,) = read(record(RECALL, timestamp="2026-11-22T02:00:00"), now=at("2026-11-23 01:00")).notices
        assert notice.id.startswith("unclear:2026-11-23:")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_our_own_messages_teach_nothing(verdict: Verdict) -> None:
    named = attempt(graph("GES 2.4.15 is available"))
    message = compose(Event(id=f"a:{verdict.value}", at=NOW, attempt=named, verdict=verdict), "run-1", "0123456789ab", False)
    for text in message.texts.values():
        found = read_announcement(text, message.subject, NOW, named_topic=True)
        assert not isinstance(found, (Announced, Withdrawal))
    assert isinstance(read_announcement(message.texts["default"], message.subject, NOW, True), Foreign)
    assert isinstance(read_announcement(message.texts["email"], message.subject, NOW, True), Foreign)
